import { PROCESS, SAMPLER, type Sampler } from "../../core/interfaces/mod.ts";
import { definePlugin } from "../../core/plugin/mod.ts";
import { churnedSteps, churnOptions } from "./shared/churn.ts";
import { levelOptions, levelsOf } from "./shared/levels.ts";
import { midpointTo } from "./shared/rules.ts";

/**
 * The midpoint method in ln σ, with or without churn.
 *   m = √(σ̂ σ_next);   x₂ = x̂ + (m − σ̂) (x̂ − D(x̂; σ̂))/σ̂;   x ← x̂ + (σ_next − σ̂) (x₂ − D(x₂; m))/m
 * and Euler's step to 0. x [B, …]. NFE 2N − 1. `sample_dpm_2` of k-diffusion, after DPM-Solver-2 (Lu et al. 2022,
 * arXiv:2206.00927).
 */
export const dpm2 = definePlugin({
  name: "dpm2",
  kind: "sampler",
  token: SAMPLER,
  about: "Midpoint method in ln σ, 2·steps − 1 network calls; stochastic with churn",
  options: { ...levelOptions, ...churnOptions },
  create(options, container): Sampler {
    const { sigmas, ...start } = levelsOf("dpm2", options, container.get(PROCESS));
    return { ...start, steps: churnedSteps(sigmas, options, midpointTo) };
  },
});
