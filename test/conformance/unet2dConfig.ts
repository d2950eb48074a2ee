/** A `UNet2DConditionModel` config of diffusers as our network plugin. */
import type { ConfiguredPlugin } from "../../core/plugin/mod.ts";
import { unet2d } from "../../plugins/networks/unet2d.ts";
import { ignore, only, type Settings } from "./settings.ts";

/** Settings of diffusers that have one value here. */
const fixed: Readonly<Record<string, unknown>> = {
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
  addition_embed_type_num_heads: 64,
  dual_cross_attention: false,
  only_cross_attention: false,
  class_embeddings_concat: false,
  resnet_skip_time_act: false,
  upcast_attention: false,
};
/** Settings that the data say too. */
const implied = [
  "sample_size",
  "in_channels",
  "out_channels",
  "cross_attention_dim",
  "projection_class_embeddings_input_dim",
  "_class_name",
  "_diffusers_version",
];

/** The network plugin with the settings of a diffusers config. @throws Unsupported for one that it does not have */
export function unet2dOf(config: Settings): ConfiguredPlugin {
  for (const [name, value] of Object.entries(fixed)) only(config, name, value);
  ignore(config, ...implied);
  const each = (name: string) => {
    const value = config[name] ?? undefined;
    return value === undefined || Array.isArray(value) ? value : [value];
  };
  const addition = config.addition_embed_type ?? undefined;
  // In diffusers' configs of this model the width of a head is the number of heads.
  const [named, heads] = [each("num_attention_heads"), each("attention_head_dim")];
  const width = config.addition_time_embed_dim;
  return unet2d({
    channels: config.block_out_channels,
    layersPerBlock: each("layers_per_block"),
    downBlocks: config.down_block_types,
    upBlocks: config.up_block_types,
    heads: named ?? heads,
    transformerLayers: each("transformer_layers_per_block"),
    groups: config.norm_num_groups ?? undefined,
    eps: config.norm_eps ?? undefined,
    linearProjection: config.use_linear_projection ?? undefined,
    embeddingFirst: config.flip_sin_to_cos === false ? "sin" : "cos",
    embeddingShift: config.freq_shift ?? undefined,
    timeIdWidth: addition === undefined ? 0 : width,
  });
}
