import { addNoise, type NoiseSource, sigmaGrid } from "../../../core/diffusion/mod.ts";
import { failure } from "../../../core/errors.ts";
import type { Draw, LossContext, NoiseProcess, Noisy } from "../../../core/interfaces/mod.ts";
import { number, type OptionsOf } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/** Options of the noise levels that DMD2 draws from: a Karras grid of equally likely levels. */
export const levelOptions = {
  levels: number({ default: 1000, min: 1, integer: true, about: "number of noise levels" }),
  sigmaMin: number({ default: 0.002, above: 0, about: "lowest noise level" }),
  sigmaMax: number({ default: 80, above: 0, about: "highest noise level" }),
  rho: number({ default: 7, min: 1, about: "bend of the grid; more puts levels near sigmaMin" }),
};

/** The levels, increasing: those of the run's process where it has its own, else a Karras grid of the options. */
export const gridOf = (
  { levels, ...karras }: OptionsOf<typeof levelOptions>,
  process?: NoiseProcess,
): readonly number[] => process?.sigmas ?? sigmaGrid(levels, karras);

/** x + σ·ε at levels drawn per sample, indices low…high−1. x [B, …] → xt [B, …], sigma [B]. */
export function diffuse(
  x: Tensor,
  noise: NoiseSource,
  grid: readonly number[],
  low = 0,
  high = grid.length,
): Noisy & Draw {
  const sigma = noise.fromGrid(grid, x.shape[0], low, high);
  const eps = noise.normalLike(x);
  return { xt: addNoise(x, sigma, eps), sigma, eps };
}

/**
 * Samples in the noise that an earlier loss of the turn has drawn for them.
 * @throws E_CONFIG when no loss has
 */
export function diffuseAgain(x: Tensor, { draw }: LossContext["shared"], owner: string): Noisy & Draw {
  if (!draw)
    throw failure(
      "E_CONFIG",
      `Cannot share noise with ${owner}: no loss before it draws any, distribution-matching or fake-score should`,
      { fix: `list that loss first, or set losses.${owner}.noise=own` },
    );
  return { xt: addNoise(x, draw.sigma, draw.eps), ...draw };
}
