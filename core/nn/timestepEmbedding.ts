import { add, concat, constant, constantArray, cos, mul, reshape, sin, sub } from "../ops/mod.ts";
import { withStorage } from "../tensor/storage.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Shape of an embedding of timesteps. */
export interface TimestepEmbeddingOptions {
  /** Width of the result; an odd one ends in a column of zeros. */
  readonly width: number;
  /** Which half comes first; diffusers' `flip_sin_to_cos` is cosines. */
  readonly first?: "cos" | "sin";
  /** Taken off the number of frequencies in the exponent; diffusers' `downscale_freq_shift`, 0 or 1. */
  readonly shift?: number;
  /** The longest period, in units of 2π timesteps. */
  readonly maxPeriod?: number;
}

/**
 * [cos(t·f), sin(t·f)] with f_i = maxPeriod^(−i/(n − shift)), i = 0…n−1, n = ⌊width/2⌋. timestep f32 [B] → [B, width].
 * A float32 product t·f is wrong by 3e-5 at t = 1000, which is why f is taken in two parts, f = high + low, of which t·high
 * is exact for whole t below 4096: cos(t·f) = cos(t·high)·cos(t·low) − sin(t·high)·sin(t·low), and likewise for sines.
 * As huggingface/diffusers, get_timestep_embedding; Vaswani et al. 2017, arXiv:1706.03762.
 */
export function timestepEmbedding(
  timestep: Tensor,
  { width, first = "cos", shift = 0, maxPeriod = 10000 }: TimestepEmbeddingOptions,
): Tensor {
  const B = timestep.shape[0];
  const n = Math.floor(width / 2);
  const f = Array.from({ length: n }, (_, i) => maxPeriod ** (-i / (n - shift)));
  const high = f.map((value) => keepBits(value, 12));
  const t = reshape(timestep, [B, 1]);
  const low = f.map((value, i) => value - high[i]);
  const [a, b] = withStorage("f32", () => [high, low].map((part) => mul(t, constantArray(part, [1, n]))));
  const cosines = sub(mul(cos(a), cos(b)), mul(sin(a), sin(b)));
  const sines = add(mul(sin(a), cos(b)), mul(cos(a), sin(b)));
  const halves = first === "cos" ? [cosines, sines] : [sines, cosines];
  return concat(width % 2 === 0 ? halves : [...halves, constant(0, "f32", [B, 1])], 1);
}

/** A positive number rounded to so many significant bits. */
function keepBits(value: number, bits: number): number {
  const unit = 2 ** (Math.floor(Math.log2(value)) + 1 - bits);
  return Math.round(value / unit) * unit;
}
