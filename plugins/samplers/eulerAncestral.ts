import { PROCESS, type Sampler } from "../../core/interfaces/mod.ts";
import { definePlugin } from "../../core/plugin/mod.ts";
import { ancestralOptions, ancestralSteps } from "./shared/ancestral.ts";
import { levelOptions, levelsOf } from "./shared/levels.ts";
import { eulerTo } from "./shared/rules.ts";

/**
 * Euler's method with ancestral noise (ancestral.ts): x ← x + (down − σ) (x − D(x; σ))/σ + up·noiseScale·ε.
 * x [B, …]. NFE N. `sample_euler_ancestral` of k-diffusion.
 */
export const eulerAncestral = definePlugin({
  name: "euler-ancestral",
  kind: "sampler",
  about: "Euler's method with fresh noise after every step but the last",
  options: { ...levelOptions, ...ancestralOptions },
  create(options, container): Sampler {
    const { sigmas, ...start } = levelsOf("euler-ancestral", options, container.get(PROCESS));
    return { ...start, steps: ancestralSteps(sigmas, options, eulerTo) };
  },
});
