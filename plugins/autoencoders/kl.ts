import type { Autoencoder } from "../../core/interfaces/mod.ts";
import type { Scope } from "../../core/nn/mod.ts";
import { add, exp, mul } from "../../core/ops/mod.ts";
import { boolean, definePlugin, list, number, type OptionsOf } from "../../core/plugin/mod.ts";
import { type AutoencoderWeights, halvesOf, tileOption, weightsAt, weightsOption } from "./shared/halves.ts";
import { decodeKl, encodeKl } from "./shared/kl.ts";

const count = number({ min: 1, integer: true });

/** What the plugin `kl` can be told besides where its weights are. */
export const klOptions = {
  channels: list(count, {
    default: [128, 256, 512, 512],
    about: "channels at each resolution, from the picture inwards; each next one halves the picture",
  }),
  layers: number({
    default: 2,
    min: 1,
    integer: true,
    about: "residual blocks at each resolution; one more on the way up",
  }),
  latentChannels: number({ default: 4, min: 1, integer: true, about: "channels of latents" }),
  pictureChannels: number({ default: 3, min: 1, integer: true, about: "channels of pictures" }),
  groups: number({
    default: 32,
    min: 1,
    integer: true,
    about: "groups of every normalisation; must divide all channels",
  }),
  bridged: boolean({
    default: true,
    about: "whether latents pass a 1 × 1 convolution on their way between both halves",
  }),
  scale: number({
    default: 0.18215,
    above: 0,
    about: "factor from latents to what models see: 0.18215 in SD 1.5, 0.13025 in SDXL",
  }),
  shift: number({ default: 0, about: "taken off latents before they are scaled" }),
  tile: tileOption,
};
export type KlOptions = OptionsOf<typeof klOptions>;

/**
 * The autoencoder of Stable Diffusion, `AutoencoderKL` of diffusers, with its state-dict names.
 *   z = scale·(m − shift),   m ~ N(mean, deviation²) as the encoder says;   x = decoder(z/scale + shift)
 * Pictures [B, 3, H, W] in [-1, 1], latents [B, 4, H/8, W/8] with the defaults: 83,653,863 parameters.
 * Rombach et al. 2022, arXiv:2112.10752.
 */
export const klAutoencoder = definePlugin({
  name: "kl",
  kind: "autoencoder",
  about: "The autoencoder of Stable Diffusion and SDXL: latents of an eighth of the picture's size",
  options: { weights: weightsOption, ...klOptions },
  create: ({ weights, ...sizes }, container): Autoencoder => klOf(sizes, weightsAt(container, "kl", weights)),
});

/** The autoencoder of these options over weights of any origin. */
export function klOf(sizes: KlOptions, weights: AutoencoderWeights): Autoencoder {
  const { channels, latentChannels, pictureChannels, scale, shift, tile } = sizes;
  const bind: Autoencoder["bind"] = (scope: Scope) => ({
    encode(x) {
      const { mean, logVariance } = encodeKl(scope, x, sizes);
      const moved = shift === 0 ? mean : add(mean, -shift);
      return { mean: mul(moved, scale), deviation: mul(exp(mul(logVariance, 0.5)), scale) };
    },
    decode(z) {
      const latents = mul(z, 1 / scale);
      return decodeKl(scope, shift === 0 ? latents : add(latents, shift), sizes);
    },
  });
  return halvesOf({
    name: "kl",
    channels: { picture: pictureChannels, latent: latentChannels },
    factor: 2 ** (channels.length - 1),
    tile,
    bind,
    weights,
  });
}
