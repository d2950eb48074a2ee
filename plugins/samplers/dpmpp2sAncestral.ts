import { PROCESS, type Sampler, type SamplerRule } from "../../core/interfaces/mod.ts";
import { definePlugin } from "../../core/plugin/mod.ts";
import { ancestralOptions, ancestralSteps } from "./shared/ancestral.ts";
import { levelOptions, levelsOf } from "./shared/levels.ts";
import { eulerTo, midpointValues, towards } from "./shared/rules.ts";

/**
 * DPM-Solver++ (2S) down to an ancestral level, then fresh noise (ancestral.ts). With m = √(σ·down):
 *   x₂ = (m/σ) x + (1 − m/σ) D(x; σ);   x ← (down/σ) x + (1 − down/σ) D(x₂; m) + up·noiseScale·ε
 * and Euler's step to 0. x [B, …]. NFE 2N − 1. Lu et al. 2022, arXiv:2211.01095, Algorithm 1 with r = 1/2;
 * `sample_dpmpp_2s_ancestral` of k-diffusion.
 */
export const dpmpp2sAncestral = definePlugin({
  name: "dpmpp-2s-ancestral",
  kind: "sampler",
  about: "DPM-Solver++ of second order in one step, with fresh noise after every step but the last",
  options: { ...levelOptions, ...ancestralOptions },
  create(options, container): Sampler {
    const { sigmas, ...start } = levelsOf("dpmpp-2s-ancestral", options, container.get(PROCESS));
    const steps = ancestralSteps(sigmas, options, (sigma, down) =>
      down === 0
        ? eulerTo(sigma, 0)
        : { rule: twoStages, values: { ...midpointValues(sigma, down), keep: down / sigma } },
    );
    return { ...start, steps };
  },
});

const twoStages: SamplerRule = (x, { sigma, middle, reach, keep }, model) => {
  const halfway = towards(x, model.denoise(x, sigma), reach);
  return towards(x, model.denoise(halfway, middle), keep);
};
