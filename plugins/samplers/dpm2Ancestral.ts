import { PROCESS, type Sampler } from "../../core/interfaces/mod.ts";
import { definePlugin } from "../../core/plugin/mod.ts";
import { ancestralOptions, ancestralSteps } from "./shared/ancestral.ts";
import { levelOptions, levelsOf } from "./shared/levels.ts";
import { midpointTo } from "./shared/rules.ts";

/**
 * The midpoint method in ln σ (dpm2.ts) down to an ancestral level, then fresh noise (ancestral.ts).
 * x [B, …]. NFE 2N − 1. `sample_dpm_2_ancestral` of k-diffusion.
 */
export const dpm2Ancestral = definePlugin({
  name: "dpm2-ancestral",
  kind: "sampler",
  about: "Midpoint method in ln σ with fresh noise after every step but the last",
  options: { ...levelOptions, ...ancestralOptions },
  create(options, container): Sampler {
    const { sigmas, ...start } = levelsOf("dpm2-ancestral", options, container.get(PROCESS));
    return { ...start, steps: ancestralSteps(sigmas, options, midpointTo) };
  },
});
