import type { Sampler } from "../interfaces/sampler.ts";
import { add, mul } from "../ops/mod.ts";

/**
 * The few-step sampler of consistency models and DMD2: predict the clean sample, add fresh noise of the next level,
 * predict again. x ← D(x; σ₀), then x ← D(x + σᵢ·ε; σᵢ) for i = 1, 2, …
 * @param sigmas decreasing, one NFE each
 */
export const renoiseSampler = (sigmas: readonly number[]): Sampler => ({
  sigmaMax: sigmas[0],
  steps: sigmas.map((sigma, i) => ({ rule: i === 0 ? "predict" : "renoise", values: { sigma } })),
  rules: {
    predict: (x, { sigma }, model) => model.denoise(x, sigma),
    renoise: (x, { sigma }, model) => model.denoise(add(x, mul(sigma, model.noise())), sigma),
  },
});
