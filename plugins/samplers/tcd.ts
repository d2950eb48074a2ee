import { PROCESS, type Sampler } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { consistencyOptions, consistencyTimestepsOf } from "./shared/consistency.ts";
import { noised } from "./shared/rules.ts";
import {
  between,
  ddimFactors,
  ddimStep,
  endsOf,
  inputOf,
  mixedAt,
  noiseBetween,
  startOf,
  timestepsOf,
} from "./shared/timesteps.ts";

/**
 * Strategic stochastic sampling of a trajectory consistency model; x_t = a·x0 + b·ε, p the next timestep (0 after the last),
 * s = ⌊(1 − eta) p⌋.
 *   x0 = D(x/a; b/a);   x_s = a_s·x0 + b_s (x − a·x0)/b;   x ← (a_p/a_s) x_s + b_p √(1 − σ_s²/σ_p²)·ε
 * eta 0 is DDIM, 1 adds all noise afresh; the last step adds none. x [B, …], as the model sees it: N(0, I) at the start. NFE
 * is the number of timesteps. Zheng et al. 2024, arXiv:2402.19159, Algorithm 4 (its γ is eta).
 */
export const tcd = definePlugin({
  name: "tcd",
  kind: "sampler",
  about: "Trajectory consistency sampling: fresh noise in each step, one network call per step",
  options: {
    ...consistencyOptions,
    eta: number({ default: 0.3, min: 0, max: 1, about: "share of a step that is fresh noise" }),
  },
  create({ eta, clip, ...options }, container): Sampler {
    const process = container.get(PROCESS);
    const strides = between(consistencyTimestepsOf("tcd", process, options), 0);
    const ends = endsOf("tcd", process, strides);
    const { sigmaAt } = timestepsOf("tcd", process);
    const rule = ddimStep(clip);
    const steps = ends.map(({ from, to }, i) => {
      const aim = mixedAt(process, sigmaAt(Math.floor((1 - eta) * strides[i].previous)));
      const shrink = to.signal / aim.signal;
      const factors = ddimFactors(from, { signal: aim.signal * shrink }, aim.noise * shrink);
      const values = { ...inputOf(from), ...factors };
      return noised({ rule, values }, noiseBetween(to, aim, to));
    });
    return { ...startOf(process, ends), steps };
  },
});
