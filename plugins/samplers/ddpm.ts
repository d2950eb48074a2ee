import { PROCESS, type Sampler } from "../../core/interfaces/mod.ts";
import { choice, definePlugin } from "../../core/plugin/mod.ts";
import { noised } from "./shared/rules.ts";
import { endsOf, inputOf, noiseBetween, predictStep, startOf, stridesOf, timestepOptions } from "./shared/timesteps.ts";

/**
 * Ancestral sampling of the reverse diffusion on timesteps of the run's process; x_t = a·x0 + b·ε, σ = b/a, p the timestep
 * that a step leads to, r = σ_p²/σ².
 *   x0 = D(x/a; σ);   x ← a_p (1 − r) x0 + (a_p/a) r x + √var·ε
 * var = b_p² (1 − r), that of the posterior (`small`), or b² (1 − r), that of noising, β (`large`); no noise at timestep 0.
 * x [B, …], as the model sees it: N(0, I) at the start. NFE is the number of timesteps. Ho et al. 2020,
 * arXiv:2006.11239, Eq. 7 and section 3.2.
 */
export const ddpm = definePlugin({
  name: "ddpm",
  kind: "sampler",
  about: "Ancestral sampling on timesteps, one network call per step",
  options: {
    ...timestepOptions,
    variance: choice(["small", "large"], {
      default: "small",
      about: "variance of the noise: that of the posterior, or β",
    }),
  },
  create({ variance, clip, ...options }, container): Sampler {
    const process = container.get(PROCESS);
    const strides = stridesOf("ddpm", process, options);
    const ends = endsOf("ddpm", process, strides);
    const rule = predictStep(clip);
    const steps = ends.map(({ from, to }, i) => {
      const rest = (to.sigma / from.sigma) ** 2;
      const factors = { take: to.signal * (1 - rest), keep: (to.signal / from.signal) * rest };
      // Never zero: the step to the clean sample keeps a trace of noise, as the public scheduler has it.
      const up = Math.max(noiseBetween(from, to, variance === "small" ? to : from), 1e-10);
      const step = { rule, values: { ...inputOf(from), ...factors } };
      return strides[i].timestep === 0 ? step : noised(step, up);
    });
    return { ...startOf(process, ends), steps };
  },
});
