import type { Condition, DROPOUT } from "../interfaces/condition.ts";
import { add, less, mul, reshape, split, where } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { conv } from "./conv.ts";
import { linear } from "./linear.ts";
import { groupNorm } from "./norm.ts";
import { resampled } from "./resampling.ts";
import type { LayerStart, Scope } from "./scope.ts";
import { selfAttention } from "./selfAttention.ts";

/** One block of a U-Net. */
export interface BlockShape {
  /** Channels of its output. */
  readonly channels: number;
  /** Halves or doubles the image. */
  readonly resample?: "up" | "down";
  /** Attention heads; 0 for none. */
  readonly heads: number;
}

/** What sets EDM's families of U-Nets apart inside a block. */
export interface BlockStyle {
  /** ε of the normalisations. */
  readonly eps: number;
  /** Factor of every residual sum. */
  readonly skipScale: number;
  /** The embedding scales and shifts after the second normalisation, or is added before it. */
  readonly modulation: "scale and shift" | "shift";
  /** Whether the skip of a resampling block has a 1×1 convolution although its channels stay. */
  readonly projectResampled: boolean;
  /** Taps of the resampling filter along one axis. */
  readonly resampleFilter: readonly number[];
  /** Probability that an activation before the second convolution is dropped, in [0, 1). */
  readonly dropout: number;
  /** How layers start, those whose output is added to a residual, and `qkv`. */
  readonly init: LayerStart;
  readonly lastInit: LayerStart;
  readonly attentionInit: LayerStart;
}

/** Groups of EDM's normalisations: at most 32, of at least 4 channels. */
export const unetGroups = (channels: number): number => Math.max(1, Math.min(32, Math.floor(channels / 4)));

/**
 * EDM's U-Net block, a = skipScale:
 *   h = conv0(silu(norm0(x)))                                  resampled before conv0
 *   h = silu(norm1(h)·(1 + scale) + shift)  or  silu(norm1(h + shift)),   from affine(emb)
 *   y = a·(conv1(dropout(h)) + skip(x)),  then y = a·(y + attention(y)) where there are heads
 * x [B, C, R, R], emb [B, E] → [B, channels, R', R'].
 * Parameters `norm0`, `conv0`, `affine`, `norm1`, `conv1`, `skip`, `norm2`, `qkv`, `proj` as in NVlabs/edm, UNetBlock.
 * @param draws of dropout; without them nothing is dropped
 */
export function unetBlock(
  scope: Scope,
  x: Tensor,
  emb: Tensor,
  { channels, resample, heads }: BlockShape,
  style: BlockStyle,
  draws?: Condition[typeof DROPOUT],
): Tensor {
  const { eps, skipScale, init, lastInit } = style;
  const atSize = (layer: Scope, image: Tensor) =>
    resample ? resampled(layer, image, resample, { filter: style.resampleFilter }) : image;
  const activation = "silu";
  const groups = unetGroups(channels);

  let h = groupNorm(scope.at("norm0"), x, unetGroups(x.shape[1]), eps, { activation });
  h = conv(scope.at("conv0"), atSize(scope.at("conv0"), h), channels, { init });
  if (style.modulation === "shift") {
    const shift = linear(scope.at("affine"), emb, channels, { init });
    h = add(h, reshape(shift, [-1, channels, 1, 1]));
    h = groupNorm(scope.at("norm1"), h, groups, eps, { activation });
  } else {
    const [scale, shift] = split(linear(scope.at("affine"), emb, 2 * channels, { init }), 2, 1);
    h = groupNorm(scope.at("norm1"), h, groups, eps, { activation, adapt: { scale, shift } });
  }
  h = conv(scope.at("conv1"), dropped(h, style.dropout, draws), channels, { init: lastInit });

  let skip = x;
  if (resample || x.shape[1] !== channels) skip = atSize(scope.at("skip"), x);
  if (x.shape[1] !== channels || (resample && style.projectResampled))
    skip = conv(scope.at("skip"), skip, channels, { kernel: 1, init });
  h = add(h, skip);
  if (skipScale !== 1) h = mul(h, skipScale);
  if (heads === 0) return h;
  const options = { eps, scale: skipScale, init: style.attentionInit, lastInit };
  return selfAttention(scope, h, heads, groups, options);
}

/** Each element 0 with probability p, else x/(1 − p); x itself without draws. */
function dropped(x: Tensor, p: number, draws: Condition[typeof DROPOUT]): Tensor {
  if (p === 0 || !draws) return x;
  return where(less(draws.uniform(x.shape), p), 0, mul(x, 1 / (1 - p)));
}
