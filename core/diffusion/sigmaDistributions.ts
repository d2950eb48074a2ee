import { add, div, exp, log, mul, sigmoid, sub } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { NoiseSource } from "./noiseSource.ts";

/** Where training draws σ: `count` levels, [count]. */
export type SigmaDistribution = (noise: NoiseSource, count: number) => Tensor;

/** Levels of a table, equally likely: DMD2's. Indices low…high−1 of `grid`. */
export const uniformIndex =
  (grid: readonly number[], low = 0, high: number = grid.length): SigmaDistribution =>
  (noise, count) =>
    noise.fromGrid(grid, count, low, high);

/** ln σ ~ N(mean, deviation²): EDM's, −1.2 and 1.2 (Karras et al. 2022, arXiv:2206.00364, Table 1). */
export const logNormal =
  (mean = -1.2, deviation = 1.2): SigmaDistribution =>
  (noise, count) =>
    noise.logNormal(count, mean, deviation);

/** ln σ uniform between two levels: that of VE models. */
export const logUniform =
  (sigmaMin: number, sigmaMax: number): SigmaDistribution =>
  (noise, count) =>
    exp(add(mul(noise.uniform([count]), Math.log(sigmaMax / sigmaMin)), Math.log(sigmaMin)));

/**
 * Time t of a rectified flow with ln(t/(1 − t)) ~ N(mean, deviation²) (Esser et al. 2024, arXiv:2403.03206, Eq. 19). As
 * σ = t/(1 − t) it is log-normal.
 */
export const logitNormal = (mean = 0, deviation = 1): SigmaDistribution => logNormal(mean, deviation);

/** Time t of a rectified flow uniform in [low, high], 0 < low < high < 1; as σ = t/(1 − t). */
export const uniformTime =
  (low = 1e-3, high = 0.999): SigmaDistribution =>
  (noise, count) => {
    const time = add(mul(noise.uniform([count]), high - low), low);
    return div(time, sub(1, time));
  };

/**
 * Another distribution moved towards noise: σ' = shift·σ, which is t' = s·t/(1 + (s − 1)·t) in times of a flow; 1 is the
 * distribution itself.
 */
export const shifted = (distribution: SigmaDistribution, shift: number): SigmaDistribution =>
  shift === 1 ? distribution : (noise, count) => mul(distribution(noise, count), shift);

/** t = σ/(1 + σ) of levels on the device, [count]; the logistic function of ln σ, so that large levels lose nothing. */
export const timesOf = (sigma: Tensor): Tensor => sigmoid(log(sigma));
