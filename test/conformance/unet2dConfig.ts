/** A `UNet2DConditionModel` config of a case as our network plugin, by the translation that pipelines use. */
import { OnestepError } from "../../core/errors.ts";
import type { ConfiguredPlugin } from "../../core/plugin/mod.ts";
import { unet2d } from "../../plugins/networks/unet2d.ts";
import { unet2dOptions } from "../../plugins/pipelines/shared/unet2dConfig.ts";
import { Unsupported } from "./kind.ts";
import { ignore, type Settings } from "./settings.ts";

/** Settings that the data say too, or that change nothing in float32. */
const implied = [
  "sample_size",
  "in_channels",
  "out_channels",
  "cross_attention_dim",
  "projection_class_embeddings_input_dim",
  "addition_embed_type_num_heads",
  "upcast_attention",
  "_class_name",
  "_diffusers_version",
];

/** The network plugin with the settings of a diffusers config. @throws Unsupported for one that it does not have */
export function unet2dOf(config: Settings): ConfiguredPlugin {
  ignore(config, ...implied);
  try {
    return unet2d.configure(unet2dOptions(config, "the case")) as ConfiguredPlugin;
  } catch (error) {
    throw error instanceof OnestepError ? new Unsupported(error.message) : error;
  }
}
