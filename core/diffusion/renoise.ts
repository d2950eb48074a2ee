import type { Generator } from "../interfaces/generator.ts";
import type { Sampler } from "../interfaces/sampler.ts";
import { add, mul } from "../ops/mod.ts";

/**
 * The few-step sampler of consistency models and DMD2: predict the clean sample, add fresh noise of the next level,
 * predict again. x ← D(x; σ₀), then x ← D(x + σᵢ·ε; σᵢ) for i = 1, 2, …
 * @param sigmas decreasing, one NFE each
 * @param startScale x starts as startScale · ε; σ₀ when absent
 */
export const renoiseSampler = (sigmas: readonly number[], startScale?: number): Sampler => ({
  sigmaMax: sigmas[0],
  ...(startScale !== undefined && { startScale }),
  steps: sigmas.map((sigma, i) => ({ rule: i === 0 ? "predict" : "renoise", values: { sigma } })),
  rules: {
    predict: (x, { sigma }, model) => model.denoise(x, sigma),
    renoise: (x, { sigma }, model) => model.denoise(add(x, mul(sigma, model.noise())), sigma),
  },
});

/** The sampler that a generator was trained for. */
export const ownSampler = ({
  sigmas,
  startScale,
}: Pick<Generator, "sigmas" | "startScale">): Sampler => renoiseSampler(sigmas, startScale);
