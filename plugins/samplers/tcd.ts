import { mixingAt } from "../../core/diffusion/mod.ts";
import { SAMPLER, type Sampler, type SamplerRule } from "../../core/interfaces/mod.ts";
import { add, mul } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { consistencyOptions, consistencyTimestepsOf } from "./shared/consistency.ts";
import { noised } from "./shared/rules.ts";
import { between, clipped, ddimFactors, endsOf, tableOf } from "./shared/timesteps.ts";

/**
 * Strategic stochastic sampling of a trajectory consistency model; x_t = a·x0 + b·ε, p the next timestep (0 after the last),
 * s = ⌊(1 − eta) p⌋.
 *   x0 = D(x/a; b/a);   x_s = a_s·x0 + b_s (x − a·x0)/b;   x ← (a_p/a_s) x_s + √(1 − a_p²/a_s²)·ε
 * eta 0 is DDIM, 1 adds all noise afresh; the last step adds none. x [B, …], of variance 1 at the start. NFE is the number of
 * timesteps. Zheng et al. 2024, arXiv:2402.19159, Algorithm 4 (its γ is eta).
 */
export const tcd = definePlugin({
  name: "tcd",
  kind: "sampler",
  token: SAMPLER,
  about: "Trajectory consistency sampling: part of each step afresh, one network call a step",
  options: {
    ...consistencyOptions,
    eta: number({ default: 0.3, min: 0, max: 1, about: "share of a step that is fresh noise" }),
  },
  create({ eta, clip, ...options }): Sampler {
    const table = tableOf(options.schedule);
    const strides = between(consistencyTimestepsOf("tcd", { ...options, clip }), 0);
    const ends = endsOf("tcd", table, strides);
    const step: SamplerRule = (x, { sigma, widen, keep, take, leave }, model) => {
      const denoised = model.denoise(mul(x, widen), sigma);
      return add(mul(keep, x), add(mul(take, clipped(denoised, clip)), mul(leave, denoised)));
    };
    const steps = ends.map(({ from, to, sigma }, i) => {
      const aim = mixingAt(table, Math.floor((1 - eta) * strides[i].previous));
      const shrink = eta > 0 && i < ends.length - 1 ? to.signal / aim.signal : 1;
      const factors = ddimFactors(from, { signal: aim.signal * shrink }, aim.noise * shrink);
      const values = { sigma, widen: 1 / from.signal, ...factors };
      return noised({ rule: step, values }, Math.sqrt(1 - shrink ** 2));
    });
    return { sigmaMax: ends[0].sigma, startScale: 1, steps };
  },
});
