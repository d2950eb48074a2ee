import { concat, constantArray, cos, mul, reshape, sin } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** [cos(c·f), sin(c·f)] for each frequency f. c [B] → [B, 2·F]. */
export function sinusoid(c: Tensor, frequencies: readonly number[]): Tensor {
  const f = constantArray(frequencies, [1, frequencies.length]);
  const angle = mul(reshape(c, [c.shape[0], 1]), f);
  return concat([cos(angle), sin(angle)], 1);
}

/** Frequencies 10000^(−i/n), i = 0…n−1: EDM's positional embedding of width 2n (NVlabs/edm, ADM end point). */
export const positionalFrequencies = (n: number): number[] =>
  Array.from({ length: n }, (_, i) => 10000 ** (-i / n));
