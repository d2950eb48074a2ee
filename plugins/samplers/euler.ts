import { PROCESS, type Sampler, type SamplerRule } from "../../core/interfaces/mod.ts";
import { add, mul } from "../../core/ops/mod.ts";
import { boolean, definePlugin } from "../../core/plugin/mod.ts";
import { churnedLevels, churnOptions } from "./shared/churn.ts";
import { levelOptions, levelsOf } from "./shared/levels.ts";
import { churned, eulerTo, slope } from "./shared/rules.ts";

/**
 * Euler's method on the probability flow, with or without churn.
 *   x̂ = x + √(σ̂² − σ²)·churnNoise·ε;   d = (x̂ − D(x̂; σ̂))/σ̂;   x ← x̂ + (σ_next − σ̂) d
 * With `churnAfter` the slope is that of x at σ, before the noise. x [B, …]. NFE N. Karras et al. 2022, arXiv:2206.00364,
 * Algorithm 2 without the second-order correction.
 */
export const euler = definePlugin({
  name: "euler",
  kind: "sampler",
  about: "First-order steps along the probability flow, one network call each",
  options: {
    ...levelOptions,
    ...churnOptions,
    churnAfter: boolean({
      default: false,
      about: "add fresh noise after the network call, as the public discrete scheduler does",
    }),
  },
  create({ churnAfter, ...options }, container): Sampler {
    const { sigmas, ...start } = levelsOf("euler", options, container.get(PROCESS));
    const steps = churnedLevels(sigmas, options).map(({ sigma, next, rise }, i) =>
      churnAfter && rise > 0
        ? { rule: eulerBeforeChurn, values: { sigma: sigmas[i], fall: next - sigma, rise } }
        : churned(eulerTo(sigma, next), rise),
    );
    return { ...start, steps };
  },
});

const eulerBeforeChurn: SamplerRule = (x, { sigma, fall, rise }, model) =>
  add(add(x, mul(rise, model.noise())), mul(fall, slope(x, sigma, model)));
