import type { Generator } from "../interfaces/generator.ts";
import type { Sampler, SamplerRule, SamplerStep } from "../interfaces/sampler.ts";
import { add, mul } from "../ops/mod.ts";

/**
 * The few-step sampler of consistency models and DMD2: predict the clean sample, add fresh noise of the next level,
 * predict again. x ← D(x; σ₀), then x ← D(x + √(σᵢ² − floor²)·ε; σᵢ) for i = 1, 2, …
 * @param sigmas decreasing, one NFE each
 * @param startScale x starts as startScale · ε; σ₀ when absent
 * @param floor noise level that predictions keep
 */
export const renoiseSampler = (sigmas: readonly number[], startScale: number = sigmas[0], floor = 0): Sampler => ({
  sigmaMax: sigmas[0],
  startScale,
  steps: sigmas.map((sigma, i): SamplerStep => {
    if (i === 0) return { rule: predict, values: { sigma } };
    const rise = Math.sqrt(Math.max(sigma ** 2 - floor ** 2, 0));
    return { rule: renoiseAndPredict, values: { sigma, rise } };
  }),
});

const predict: SamplerRule = (x, { sigma }, model) => model.denoise(x, sigma);

const renoiseAndPredict: SamplerRule = (x, { sigma, rise }, model) =>
  model.denoise(add(x, mul(rise, model.noise())), sigma);

/** The sampler that a generator was trained for. */
export const ownSampler = ({
  sigmas,
  startScale,
  floor,
}: Pick<Generator, "sigmas" | "startScale" | "floor">): Sampler => renoiseSampler(sigmas, startScale, floor);
