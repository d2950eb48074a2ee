/** Fresh noise before the steps of an ODE sampler. Karras et al. 2022, arXiv:2206.00364, Algorithm 2. */
import type { SamplerStep } from "../../../core/interfaces/mod.ts";
import { number, type OptionsOf, optional } from "../../../core/plugin/mod.ts";
import { churned } from "./rules.ts";

export const churnOptions = {
  churn: number({ default: 0, min: 0, about: "S_churn: fresh noise over all steps; 0 is off" }),
  churnMin: number({ default: 0, min: 0, about: "S_min: lowest level that gets fresh noise" }),
  churnMax: optional(number({ min: 0 }), {
    about: "S_max: highest level that gets fresh noise; none for all",
  }),
  churnNoise: number({ default: 1, min: 0, about: "S_noise: factor on the fresh noise" }),
};

/** A level this near to a bound, relative to it, is on it: powers are rounded, and float32 ones either way. */
const SLACK = 1e-6;

/** γ = min(churn/steps, √2 − 1) from churnMin to churnMax, both included, else 0. */
export const gammaAt = (
  sigma: number,
  steps: number,
  { churn, churnMin, churnMax = Infinity }: OptionsOf<typeof churnOptions>,
): number => {
  const inside = sigma >= churnMin * (1 - SLACK) && sigma <= churnMax * (1 + SLACK);
  return inside ? Math.min(churn / steps, Math.SQRT2 - 1) : 0;
};

/**
 * Steps of an ODE sampler on levels σ_0 > … > σ_N, with churn: σ̂ = (1 + γ) σ;   x̂ = x + rise·ε,
 * rise = churnNoise·√(σ̂² − σ²);   x ← step(x̂; σ̂ → σ_next)
 * @param stepTo the deterministic step
 */
export const churnedSteps = (
  sigmas: readonly number[],
  options: OptionsOf<typeof churnOptions>,
  stepTo: (sigma: number, next: number) => SamplerStep,
): SamplerStep[] => churnedLevels(sigmas, options).map(({ sigma, next, rise }) => churned(stepTo(sigma, next), rise));

/** A step of levels: from σ̂, raised from σ by noise of size `rise`, to `next`. */
export interface ChurnedLevel {
  readonly sigma: number;
  readonly next: number;
  readonly rise: number;
}

export const churnedLevels = (sigmas: readonly number[], options: OptionsOf<typeof churnOptions>): ChurnedLevel[] =>
  sigmas.slice(0, -1).map((level, i) => {
    const sigma = level * (1 + gammaAt(level, sigmas.length - 1, options));
    const rise = options.churnNoise * Math.sqrt(sigma ** 2 - level ** 2);
    return { sigma, next: sigmas[i + 1], rise };
  });
