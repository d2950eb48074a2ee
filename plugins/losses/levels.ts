import { addNoise, type NoiseSource, sigmaGrid } from "../../core/diffusion/mod.ts";
import { number, type OptionsOf } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";

/** Options of the noise levels that DMD2 draws from: a Karras grid of equally likely levels. */
export const levelOptions = {
  levels: number({ default: 1000, min: 1, integer: true, about: "number of noise levels" }),
  sigmaMin: number({ default: 0.002, above: 0, about: "lowest noise level" }),
  sigmaMax: number({ default: 80, above: 0, about: "highest noise level" }),
  rho: number({ default: 7, min: 1, about: "bend of the grid; more puts levels near sigmaMin" }),
};

/** The levels, increasing. */
export const gridOf = ({ levels, ...karras }: OptionsOf<typeof levelOptions>): number[] =>
  sigmaGrid(levels, karras);

/** x + σ·ε at levels drawn a sample, indices low…high−1. x [B, …] → xt [B, …], sigma [B]. */
export function diffuse(
  x: Tensor,
  noise: NoiseSource,
  grid: readonly number[],
  low = 0,
  high = grid.length,
): { readonly xt: Tensor; readonly sigma: Tensor } {
  const sigma = noise.fromGrid(grid, x.shape[0], low, high);
  return { xt: addNoise(x, sigma, noise.normalLike(x)), sigma };
}
