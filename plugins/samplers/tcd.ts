import { mixingAt } from "../../core/diffusion/mod.ts";
import { SAMPLER, type Sampler, type SamplerModel } from "../../core/interfaces/mod.ts";
import { add, mul } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { consistencyOptions, consistencyTimestepsOf } from "./shared/consistency.ts";
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
    const step = (x: Tensor, values: Values, { denoise }: SamplerModel): Tensor => {
      const { sigma, widen, keep, take, leave } = values;
      const denoised = denoise(mul(x, widen), sigma);
      return add(mul(keep, x), add(mul(take, clipped(denoised, clip)), mul(leave, denoised)));
    };
    return {
      sigmaMax: ends[0].sigma,
      startScale: 1,
      steps: ends.map(({ from, to, sigma }, i) => {
        const aim = mixingAt(table, Math.floor((1 - eta) * strides[i].previous));
        const noisy = eta > 0 && i < ends.length - 1;
        const shrink = noisy ? to.signal / aim.signal : 1;
        const factors = ddimFactors(from, { signal: aim.signal * shrink }, aim.noise * shrink);
        const values = { sigma, widen: 1 / from.signal, ...factors };
        return noisy
          ? { rule: "step and noise", values: { ...values, up: Math.sqrt(1 - shrink ** 2) } }
          : { rule: "step", values };
      }),
      rules: {
        step,
        "step and noise": (x, values, model) =>
          add(step(x, values, model), mul(values.up, model.noise())),
      },
    };
  },
});

type Values = Readonly<Record<string, Tensor>>;
