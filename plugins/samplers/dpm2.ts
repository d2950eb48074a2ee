import { PROCESS, type Sampler, type SamplerStep } from "../../core/interfaces/mod.ts";
import { choice, definePlugin } from "../../core/plugin/mod.ts";
import { churnedSteps, churnOptions } from "./shared/churn.ts";
import { levelOptions, levelsOf } from "./shared/levels.ts";
import { midpointStep, midpointTo, midpointValues } from "./shared/rules.ts";

/**
 * The midpoint method in ln σ, with or without churn.
 *   m = √(σ̂ σ_next);   x₂ = x̂ + (m − σ̂) (x̂ − D(x̂; σ̂))/σ̂;   x ← x̂ + (σ_next − σ̂) (x₂ − D(x₂; m))/m
 * and Euler's step to 0. x [B, …]. NFE 2N − 1. `sample_dpm_2` of k-diffusion, after DPM-Solver-2 (Lu et al. 2022,
 * arXiv:2206.00927). With `middle: "cubic"` m = ((σ̂^⅓ + σ_next^⅓)/2)³, on the way to 0 too, as in its first versions and in
 * the code of consistency models; NFE 2N.
 */
export const dpm2 = definePlugin({
  name: "dpm2",
  kind: "sampler",
  about: "Midpoint method in ln σ, 2·steps − 1 network calls; stochastic with churn",
  options: {
    ...levelOptions,
    ...churnOptions,
    middle: choice(["geometric", "cubic"], {
      default: "geometric",
      about: "level in the middle of a step: even in ln σ, or in the cube root of σ",
    }),
  },
  create(options, container): Sampler {
    const { sigmas, ...start } = levelsOf("dpm2", options, container.get(PROCESS));
    const stepTo = options.middle === "cubic" ? cubicTo : midpointTo;
    return { ...start, steps: churnedSteps(sigmas, options, stepTo) };
  },
});

const cubicTo = (sigma: number, next: number): SamplerStep => ({
  rule: midpointStep,
  values: midpointValues(sigma, next, ((Math.cbrt(sigma) + Math.cbrt(next)) / 2) ** 3),
});
