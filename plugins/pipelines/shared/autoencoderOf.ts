/** The autoencoder among the parts of a model, by its `config.json`. */
import type { Autoencoder, JsonObject, ModelPart } from "../../../core/interfaces/mod.ts";
import { parseOptions } from "../../../core/plugin/mod.ts";
import { klOf, klOptions } from "../../autoencoders/kl.ts";
import { tinyOf, tinyOptions } from "../../autoencoders/tiny.ts";
import {
  checkGroups,
  MOST_LAYERS,
  numberOf,
  numbersOf,
  oneOf,
  settingsOf,
  textsOf,
  unknownSetting,
} from "./readSettings.ts";

/** Latents on a side that are computed together at most: pictures of 768 pixels. */
const LARGEST_TILE = 96;

/** @throws E_CONFIG for an autoencoder of another kind */
export function autoencoderOf(part: ModelPart): Autoencoder {
  const { from, config } = settingsOf(part);
  const isTiny = Object.hasOwn(part.tensors, "decoder.layers.0.weight");
  oneOf(from, config, "_class_name", isTiny ? "AutoencoderTiny" : "AutoencoderKL");
  const weights = async () => part;
  return isTiny ? tinyOf(tinySizes(config, from), weights) : klOf(klSizes(config, from), weights);
}

function klSizes(config: JsonObject, from: string) {
  for (const [name, kind] of [
    ["down_block_types", "DownEncoderBlock2D"],
    ["up_block_types", "UpDecoderBlock2D"],
  ]) {
    const kinds = textsOf(from, config, name) ?? [];
    if (kinds.some((each) => each !== kind)) throw unknownSetting(from, name, kinds, `${kind} at every resolution`);
  }
  oneOf(from, config, "act_fn", "silu");
  oneOf(from, config, "mid_block_add_attention", true);
  for (const name of ["latents_mean", "latents_std"])
    if ((config[name] ?? undefined) !== undefined) throw unknownSetting(from, name, config[name], "absent");
  const channels = numbersOf(from, config, "block_out_channels");
  const pictureChannels = numberOf(from, config, "out_channels", { min: 1, whole: true });
  checkGroups(from, config, channels ?? []);
  oneOf(from, config, "in_channels", pictureChannels ?? 3);
  const bridges = ["use_quant_conv", "use_post_quant_conv"].map(
    (name) => oneOf(from, config, name, false, true) ?? true,
  );
  if (bridges[0] !== bridges[1])
    throw unknownSetting(from, "use_post_quant_conv", bridges[1], `use_quant_conv, ${bridges[0]}`);
  const side = numberOf(from, config, "sample_size", { min: 1, whole: true }) ?? 512;
  const factor = 2 ** ((channels?.length ?? 4) - 1);
  return parseOptions("kl", klOptions, {
    channels,
    pictureChannels,
    layers: numberOf(from, config, "layers_per_block", { min: 1, max: MOST_LAYERS, whole: true }),
    latentChannels: numberOf(from, config, "latent_channels", { min: 1, whole: true }),
    groups: numberOf(from, config, "norm_num_groups", { min: 1, whole: true }),
    scale: numberOf(from, config, "scaling_factor"),
    shift: numberOf(from, config, "shift_factor"),
    bridged: bridges[0],
    tile: Math.max(8, Math.min(LARGEST_TILE, Math.floor(side / factor))),
  });
}

function tinySizes(config: JsonObject, from: string) {
  for (const [name, value] of Object.entries({ act_fn: "relu", upsampling_scaling_factor: 2, latent_magnitude: 3 }))
    oneOf(from, config, name, value);
  const blocks = (name: string) => numbersOf(from, config, name, MOST_LAYERS);
  return parseOptions("tiny", tinyOptions, {
    encoderChannels: numbersOf(from, config, "encoder_block_out_channels"),
    encoderBlocks: blocks("num_encoder_blocks"),
    decoderChannels: numbersOf(from, config, "decoder_block_out_channels"),
    decoderBlocks: blocks("num_decoder_blocks"),
    latentChannels: numberOf(from, config, "latent_channels", { min: 1, whole: true }),
    pictureChannels: numberOf(from, config, "out_channels", { min: 1, whole: true }),
    scale: numberOf(from, config, "scaling_factor"),
  });
}
