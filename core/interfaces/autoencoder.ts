import { type Token, token } from "../di/token.ts";
import type { Frozen } from "../nn/frozen.ts";
import type { Scope } from "../nn/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What an autoencoder says of pictures: a latent for each place, or a Gaussian that it is drawn from. */
export interface EncodedPictures {
  /** [B, L, h, w] */
  readonly mean: Tensor;
  /** Standard deviation of the Gaussian, [B, L, h, w]; absent where there is none. */
  readonly deviation?: Tensor;
}

/** An autoencoder over its parameters, in a trace. Latents are scaled: as the models see them, of variance 1 or so. */
export interface AutoencoderNetwork {
  /** Pictures [B, C, H, W] in [-1, 1], their sides multiples of `factor` → latents [B, L, H/factor, W/factor]. */
  encode(x: Tensor): EncodedPictures;
  /** Latents [B, L, h, w] → pictures [B, C, h·factor, w·factor], about [-1, 1]. */
  decode(z: Tensor): Tensor;
}

/** The two halves, which need not be in memory together. */
export type AutoencoderHalf = "encoder" | "decoder";

/** A frozen network that makes small latents of pictures, which models learn, and pictures of latents. */
export interface Autoencoder {
  readonly name: string;
  /** Channels of pictures and of latents. */
  readonly channels: { readonly picture: number; readonly latent: number };
  /** Pixels on a side of a picture for one latent on a side. */
  readonly factor: number;
  /** Latents on a side that are computed together; larger pictures are made of overlapping tiles of that size. */
  readonly tile: number;
  bind(scope: Scope): AutoencoderNetwork;
  /** The weights of one half, read anew each time and not kept. */
  load(half: AutoencoderHalf): Promise<Frozen>;
}

/** The autoencoder between the pictures and the latents of a model. */
export const AUTOENCODER: Token<Autoencoder> = token<Autoencoder>("autoencoder");
