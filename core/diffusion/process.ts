import type { NoiseProcess } from "../interfaces/process.ts";
import { add, constant, div, mul, rsqrt, square, toFloat } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { edmDenoiser, edmFeatures } from "./denoiser.ts";
import type { DiscreteTable } from "./discrete.ts";
import { discreteDenoiser, nearestTimestep } from "./discreteDenoiser.ts";
import { edmWeight, perSample } from "./edm.ts";
import type { PredictionKind } from "./prediction.ts";
import { flowDenoiser, flowInput, flowSigma } from "./rectifiedFlow.ts";

/** EDM's preconditioning, for every level above 0. λ = σ⁻² + σ_data⁻² (Karras et al. 2022, Table 1). */
export const edmProcess = (sigmaData: number): NoiseProcess => ({
  denoiser: (F) => edmDenoiser(F, sigmaData),
  features: (F, x, sigma, condition) => edmFeatures(F, sigmaData, x, sigma, condition),
  weight: (sigma, rank) => edmWeight(sigma, sigmaData, rank),
  scale: () => 1,
  start: (sigma) => sigma,
});

/** What can be read of x_t = a·x0 + b·ε with a network that knows discrete timesteps. */
type DiscretePrediction = Exclude<PredictionKind, "flow">;

/** Level of a timestep of pure noise: that of ᾱ = 2⁻²⁴, as in diffusers' samplers of noise levels. */
const PURE_NOISE = Math.sqrt(2 ** 24 - 1);

/**
 * A network of discrete timesteps t, which sees x_t = x/√(1 + σ²), its `cNoise` the timestep whose level is nearest.
 * Sampling starts from x_t = N(0, I), as the official code of DMD2 and diffusers do; from a last timestep of pure noise (zero
 * terminal SNR) where the network predicts the velocity or the sample. λ makes the loss of D the plain mean
 * square of what F predicts: σ⁻² for ε, 1 + σ⁻² for the velocity, 1 for the sample itself.
 */
export function timestepProcess(table: DiscreteTable, prediction: DiscretePrediction = "epsilon"): NoiseProcess {
  // Noise alone says nothing of the sample to a network that predicts ε; one that predicts anything else knows its mean.
  const finite = (sigma: number) => (Number.isFinite(sigma) ? sigma : PURE_NOISE);
  const tables = prediction === "epsilon" ? table : { ...table, sigmas: table.sigmas.map(finite) };
  const scale = (sigma: number) => Math.sqrt(1 + sigma ** 2);
  return {
    sigmas: tables.sigmas.filter(Number.isFinite),
    count: tables.sigmas.length,
    denoiser: (F) => discreteDenoiser((xt, t, condition) => F(xt, toFloat(t), condition), tables, prediction),
    features(F, x, sigma, condition) {
      const signal = rsqrt(add(square(perSample(sigma, x.shape.length)), 1));
      return F(mul(x, signal), toFloat(nearestTimestep(sigma, tables)), condition);
    },
    weight: (sigma, rank) => predictionWeight(perSample(sigma, rank), prediction),
    scale,
    start: scale,
  };
}

/** 1/c², c the factor of the prediction in x0. */
function predictionWeight(s: Tensor, prediction: DiscretePrediction): Tensor {
  if (prediction === "sample") return constant(1, "f32", s.shape);
  const inverse = div(1, square(s));
  return prediction === "epsilon" ? inverse : add(inverse, 1);
}

/** How a network of a rectified flow is told times, and which of them losses draw. */
export interface FlowOptions {
  /** The network's `cNoise` is timeScale·t. */
  readonly timeScale?: number;
  /** The levels are those of times k/count, 0 < k < count. */
  readonly count?: number;
  /** Moves these times towards noise; a factor of their levels. */
  readonly shift?: number;
}

/**
 * A network of a rectified flow's velocity, which sees x_t = x/(1 + σ) and timeScale·t, t = σ/(1 + σ). Sampling starts from
 * x_t = N(0, I), as public pipelines do; t = 1 itself has no finite level. λ = (1 + 1/σ)² = 1/t² makes the loss of D the plain
 * mean square of the velocity: D − x0 = t·(v − F).
 */
export function flowProcess({ timeScale = 1000, count = 1000, shift = 1 }: FlowOptions = {}): NoiseProcess {
  const scale = (sigma: number) => 1 + sigma;
  return {
    sigmas: Array.from({ length: count - 1 }, (_, k) => shift * flowSigma((k + 1) / count)),
    denoiser: (F) => flowDenoiser((xt, time, condition) => F(xt, mul(time, timeScale), condition)),
    features(F, x, sigma, condition) {
      const { xt, time } = flowInput(x, sigma);
      return F(xt, mul(time, timeScale), condition);
    },
    weight: (sigma, rank) => square(add(div(1, perSample(sigma, rank)), 1)),
    scale,
    start: scale,
  };
}

/** What a network of the process is told of a level: its `cNoise`, as `Condition.end` gives it. sigma [B] → [B]. */
export function levelTold(process: Pick<NoiseProcess, "denoiser">, sigma: Tensor): Tensor {
  let told = sigma;
  const listening = process.denoiser((x, cNoise) => {
    told = cNoise;
    return x;
  });
  listening.denoise(constant(0, "f32", [sigma.shape[0], 1]), sigma, {});
  return told;
}
