import type { Autoencoder } from "../../core/interfaces/mod.ts";
import { mul } from "../../core/ops/mod.ts";
import { definePlugin, list, number, type OptionsOf } from "../../core/plugin/mod.ts";
import { type AutoencoderWeights, halvesOf, tileOption, weightsAt, weightsOption } from "./shared/halves.ts";
import { decodeTiny, encodeTiny } from "./shared/tiny.ts";

const widths = (about: string) =>
  list(number({ min: 1, integer: true }), {
    default: [64, 64, 64, 64],
    about: `channels of each stage of the ${about}`,
  });
const blocks = (initial: readonly number[], about: string) =>
  list(number({ min: 0, integer: true }), {
    default: [...initial],
    about: `residual blocks of each stage of the ${about}`,
  });

/** What the plugin `tiny` can be told besides where its weights are. */
export const tinyOptions = {
  encoderChannels: widths("encoder"),
  encoderBlocks: blocks([1, 3, 3, 3], "encoder"),
  decoderChannels: widths("decoder"),
  decoderBlocks: blocks([3, 3, 3, 1], "decoder"),
  latentChannels: number({ default: 4, min: 1, integer: true, about: "channels of latents" }),
  pictureChannels: number({ default: 3, min: 1, integer: true, about: "channels of pictures" }),
  scale: number({ default: 1, above: 0, about: "factor from its latents to what models see" }),
  tile: tileOption,
};
export type TinyOptions = OptionsOf<typeof tinyOptions>;

/**
 * TAESD and TAESDXL: a small autoencoder for the latents of Stable Diffusion, `AutoencoderTiny` of diffusers, with its state-dict
 * names. Pictures [B, 3, H, W] in [-1, 1], latents [B, 4, H/8, W/8] with the defaults: 2,445,063 parameters. Its latents
 * are those that models see, without a factor. Bohan 2023, github.com/madebyollin/taesd.
 */
export const tinyAutoencoder = definePlugin({
  name: "tiny",
  kind: "autoencoder",
  about: "TAESD: a small and fast autoencoder for the latents of Stable Diffusion and SDXL",
  options: { weights: weightsOption, ...tinyOptions },
  create: ({ weights, ...sizes }, container): Autoencoder => tinyOf(sizes, weightsAt(container, "tiny", weights)),
});

/** The autoencoder of these options over weights of any origin. */
export function tinyOf(sizes: TinyOptions, weights: AutoencoderWeights): Autoencoder {
  const { latentChannels, pictureChannels, scale, tile } = sizes;
  const encoder = { channels: sizes.encoderChannels, blocks: sizes.encoderBlocks };
  const decoder = { channels: sizes.decoderChannels, blocks: sizes.decoderBlocks };
  const bind: Autoencoder["bind"] = (scope) => ({
    encode: (x) => ({ mean: mul(encodeTiny(scope, x, latentChannels, encoder), scale) }),
    decode: (z) => decodeTiny(scope, mul(z, 1 / scale), pictureChannels, decoder),
  });
  return halvesOf({
    name: "tiny",
    channels: { picture: pictureChannels, latent: latentChannels },
    factor: 2 ** (decoder.channels.length - 1),
    tile,
    bind,
    weights,
  });
}
