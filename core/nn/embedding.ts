import { concat, constantArray, cos, mul, reshape, sin } from "../ops/mod.ts";
import { withStorage } from "../tensor/storage.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * [cos(c·f), sin(c·f)] for each frequency f, or sines first. c [B], frequencies F numbers or a tensor [F] → [B, 2·F].
 * In float32, so c·f should stay below a few hundred: `timestepEmbedding` is for timesteps.
 */
export function sinusoid(
  c: Tensor,
  frequencies: readonly number[] | Tensor,
  { first = "cos" }: { readonly first?: "cos" | "sin" } = {},
): Tensor {
  const f = "shape" in frequencies ? frequencies : constantArray(frequencies, [frequencies.length]);
  // An angle has digits before the point, of which f16 would leave too few behind it.
  const angle = withStorage("f32", () => mul(reshape(c, [c.shape[0], 1]), reshape(f, [1, -1])));
  return concat(first === "cos" ? [cos(angle), sin(angle)] : [sin(angle), cos(angle)], 1);
}

/**
 * Frequencies 10000^(−i/n), i = 0…n−1, of EDM's positional embedding of width 2n; with `endpoint` the last one is 1/10000,
 * 10000^(−i/(n−1)), as in DDPM++. NVlabs/edm training/networks.py.
 */
export const positionalFrequencies = (
  n: number,
  { endpoint = false }: { readonly endpoint?: boolean } = {},
): number[] => Array.from({ length: n }, (_, i) => 10000 ** (-i / Math.max(1, endpoint ? n - 1 : n)));
