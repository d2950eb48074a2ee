/** A `UNet2DConditionModel` config of diffusers as our network plugin. */
import type { ConfiguredPlugin } from "../../core/plugin/mod.ts";
import { unet2d } from "../../plugins/networks/unet2d.ts";
import type { ManifestCase } from "./goldenCase.ts";
import { Unsupported } from "./kind.ts";

/** Settings of diffusers that have one value here; any other can't be run. */
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
};
/** Settings that the data say too, or that change no number. */
const implied = new Set([
  "sample_size",
  "in_channels",
  "out_channels",
  "cross_attention_dim",
  "lora",
  "dropout",
  "projection_class_embeddings_input_dim",
  "_class_name",
  "_diffusers_version",
  "attention_head_dim",
  "addition_time_embed_dim",
  "addition_embed_type_num_heads",
]);

/** The network plugin with the settings of a diffusers config. Throws `Unsupported` for one that it does not have. */
export function unet2dOf(config: ManifestCase["config"]): ConfiguredPlugin {
  const read = (name: string) => {
    known.add(name);
    return config[name] ?? undefined;
  };
  const each = (name: string) => {
    const value = read(name);
    return value === undefined || Array.isArray(value) ? value : [value];
  };
  const known = new Set<string>();
  const addition = read("addition_embed_type");
  if (addition !== undefined && addition !== "text_time")
    throw new Unsupported(`no addition embedding of type ${addition}`);
  const plugin = unet2d({
    channels: read("block_out_channels"),
    layersPerBlock: each("layers_per_block"),
    downBlocks: read("down_block_types"),
    upBlocks: read("up_block_types"),
    // In diffusers' configs of this model it is the number of heads, whatever its name.
    heads: each("num_attention_heads") ?? each("attention_head_dim"),
    transformerLayers: each("transformer_layers_per_block"),
    groups: read("norm_num_groups"),
    eps: read("norm_eps"),
    linearProjection: read("use_linear_projection"),
    embeddingFirst: read("flip_sin_to_cos") === false ? "sin" : "cos",
    embeddingShift: read("freq_shift"),
    timeIdWidth: addition === undefined ? 0 : read("addition_time_embed_dim"),
  });
  for (const [name, value] of Object.entries(config)) {
    const off = value === null || value === false;
    const fine =
      name in fixed ? fixed[name] === value : known.has(name) || implied.has(name) || off;
    if (!fine) throw new Unsupported(`unet2d has no ${name} ${JSON.stringify(value)}`);
  }
  return plugin;
}
