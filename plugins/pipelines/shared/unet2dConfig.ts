/** A `UNet2DConditionModel` config of diffusers as options of our network. */
import type { JsonObject } from "../../../core/interfaces/mod.ts";
import {
  checkGroups,
  MOST_CHANNELS,
  MOST_LAYERS,
  numberOf,
  numbersOf,
  oneOf,
  textsOf,
  unknownSetting,
} from "./readSettings.ts";

/** Settings of diffusers that have one value here. */
const fixed: Readonly<Record<string, string | number | boolean>> = {
  act_fn: "silu",
  downsample_padding: 1,
  mid_block_scale_factor: 1,
  mid_block_type: "UNetMidBlock2DCrossAttn",
  center_input_sample: false,
  resnet_time_scale_shift: "default",
  time_embedding_type: "positional",
  attention_type: "default",
  conv_in_kernel: 3,
  conv_out_kernel: 3,
  resnet_out_scale_factor: 1,
  dropout: 0,
  addition_embed_type: "text_time",
  dual_cross_attention: false,
  only_cross_attention: false,
  mid_block_only_cross_attention: false,
  class_embeddings_concat: false,
  resnet_skip_time_act: false,
};
/** Settings that add something where they are there. */
const absent = [
  "class_embed_type",
  "num_class_embeds",
  "encoder_hid_dim",
  "encoder_hid_dim_type",
  "cross_attention_norm",
  "time_embedding_act_fn",
  "time_embedding_dim",
  "timestep_post_act",
  "reverse_transformer_layers_per_block",
];

/**
 * The options of `unet2d` that a config stands for; what it leaves out are diffusers' defaults, those of SD 1.5.
 * @param from the file that it is from, for messages
 * @throws E_CONFIG for a setting that the network does not have
 */
export function unet2dOptions(config: JsonObject, from: string) {
  for (const [name, value] of Object.entries(fixed)) oneOf(from, config, name, value);
  for (const name of absent) {
    const value = config[name] ?? undefined;
    if (value !== undefined) throw unknownSetting(from, name, value, "absent");
  }
  const addition = config.addition_embed_type ?? undefined;
  // In diffusers' configs of this model the width of a head is the number of heads.
  const [named, heads] = ["num_attention_heads", "attention_head_dim"].map((name) => numbersOf(from, config, name));
  const width = numberOf(from, config, "addition_time_embed_dim", { min: 1, max: MOST_CHANNELS, whole: true });
  if (addition !== undefined && width === undefined)
    throw unknownSetting(from, "addition_time_embed_dim", width, "a whole number beside addition_embed_type");
  const channels = numbersOf(from, config, "block_out_channels");
  checkGroups(from, config, channels ?? []);
  return {
    channels,
    layersPerBlock: numbersOf(from, config, "layers_per_block", MOST_LAYERS),
    downBlocks: textsOf(from, config, "down_block_types"),
    upBlocks: textsOf(from, config, "up_block_types"),
    heads: named ?? heads,
    transformerLayers: numbersOf(from, config, "transformer_layers_per_block", MOST_LAYERS),
    groups: numberOf(from, config, "norm_num_groups", { min: 1, whole: true }),
    eps: numberOf(from, config, "norm_eps", { min: 0 }),
    linearProjection: oneOf(from, config, "use_linear_projection", false, true),
    embeddingFirst: oneOf(from, config, "flip_sin_to_cos", false, true) === false ? "sin" : "cos",
    embeddingShift: numberOf(from, config, "freq_shift", { min: 0 }),
    timeIdWidth: addition === undefined ? 0 : width,
    guidanceWidth: numberOf(from, config, "time_cond_proj_dim", { min: 1, max: MOST_CHANNELS, whole: true }),
  } as const;
}
