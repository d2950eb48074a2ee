import { SAMPLER, type Sampler, type SamplerRule } from "../../core/interfaces/mod.ts";
import { add, mul } from "../../core/ops/mod.ts";
import { choice, definePlugin } from "../../core/plugin/mod.ts";
import { noised } from "./shared/rules.ts";
import { clipped, endsOf, stridesOf, tableOf, timestepOptions } from "./shared/timesteps.ts";

/**
 * Ancestral sampling of the reverse diffusion on a table of timesteps; x_t = a·x0 + b·ε, p the timestep that a step leads
 * to, α = a²/a_p², β = 1 − α.
 *   x0 = D(x/a; b/a);   x ← (a_p β/b²) x0 + (√α b_p²/b²) x + √var·ε
 * var = β b_p²/b² (`small`) or β (`large`); no noise at timestep 0. x [B, …], of variance 1 at the start. NFE is the number
 * of timesteps. Ho et al. 2020, arXiv:2006.11239, Eq. 7 and section 3.2.
 */
export const ddpm = definePlugin({
  name: "ddpm",
  kind: "sampler",
  token: SAMPLER,
  about: "Ancestral sampling on discrete timesteps, one network call a step",
  options: {
    ...timestepOptions,
    variance: choice(["small", "large"], {
      default: "small",
      about: "variance of the noise: that of the posterior, or β",
    }),
  },
  create({ variance, clip, ...options }): Sampler {
    const table = tableOf(options.schedule);
    const strides = stridesOf("ddpm", { ...options, clip });
    const ends = endsOf("ddpm", table, strides);
    const mean: SamplerRule = (x, { sigma, widen, take, keep }, model) =>
      add(mul(take, clipped(model.denoise(mul(x, widen), sigma), clip)), mul(keep, x));
    const steps = ends.map(({ from, to, sigma }, i) => {
      const alpha = (from.signal / to.signal) ** 2;
      const [all, rest] = [from.noise ** 2, to.noise ** 2];
      const values = {
        sigma,
        widen: 1 / from.signal,
        take: (to.signal * (1 - alpha)) / all,
        keep: (Math.sqrt(alpha) * rest) / all,
      };
      const spread = (1 - alpha) * (variance === "small" ? rest / all : 1);
      // Never zero: the step to the clean sample keeps a trace of noise, as the public scheduler has it.
      const up = strides[i].timestep === 0 ? 0 : Math.sqrt(Math.max(spread, 1e-20));
      return noised({ rule: mean, values }, up);
    });
    return { sigmaMax: ends[0].sigma, startScale: 1, steps };
  },
});
