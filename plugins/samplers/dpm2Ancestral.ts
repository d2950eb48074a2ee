import { SAMPLER, type Sampler, type SamplerStep } from "../../core/interfaces/mod.ts";
import { definePlugin } from "../../core/plugin/mod.ts";
import { ancestral, ancestralOptions } from "./shared/ancestral.ts";
import { eulerStep } from "./shared/churn.ts";
import { levelOptions, levelsOf } from "./shared/levels.ts";
import { midpointStep, midpointValues } from "./shared/midpoint.ts";

/**
 * The midpoint method in ln σ (dpm2.ts) down to an ancestral level, then fresh noise (ancestral.ts).
 * x [B, …]. NFE 2N − 1. `sample_dpm_2_ancestral` of k-diffusion.
 */
export const dpm2Ancestral = definePlugin({
  name: "dpm2-ancestral",
  kind: "sampler",
  token: SAMPLER,
  about: "Midpoint method in ln σ with fresh noise after every step but the last",
  options: { ...levelOptions, ...ancestralOptions },
  create(options): Sampler {
    const { sigmas, ...start } = levelsOf("dpm2-ancestral", options);
    const toLevel = (sigma: number, down: number): SamplerStep =>
      down === 0
        ? { rule: "euler", values: { sigma, keep: 0 } }
        : { rule: "midpoint", values: midpointValues(sigma, down) };
    const rules = { euler: eulerStep, midpoint: midpointStep };
    return { ...start, ...ancestral(sigmas, options, toLevel, rules) };
  },
});
