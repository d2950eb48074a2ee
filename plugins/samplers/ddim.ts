import { PROCESS, type Sampler } from "../../core/interfaces/mod.ts";
import { boolean, definePlugin, number } from "../../core/plugin/mod.ts";
import { noised } from "./shared/rules.ts";
import {
  ddimFactors,
  ddimStep,
  endsOf,
  inputOf,
  noiseBetween,
  startOf,
  stridesOf,
  timestepOptions,
} from "./shared/timesteps.ts";

/**
 * DDIM on timesteps of the run's process; x_t = a·x0 + b·ε, σ = b/a, p the timestep that a step leads to.
 *   x0 = D(x/a; σ);   ε̂ = (x − a·x0)/b;   s² = η² b_p² (1 − σ_p²/σ²)
 *   x ← a_p·x0 + √(b_p² − s²)·ε̂ + s·ε
 * eta 0 is deterministic, 1 has the noise of DDPM. x [B, …], as the model sees it: N(0, I) at the start. NFE is the number
 * of timesteps. Song et al. 2021, arXiv:2010.02502, Eq. 12 and 16.
 */
export const ddim = definePlugin({
  name: "ddim",
  kind: "sampler",
  about: "DDIM on timesteps, deterministic or with noise, one network call per step",
  options: {
    ...timestepOptions,
    eta: number({ default: 0, min: 0, max: 1, about: "share of DDPM's noise" }),
    clipNoise: boolean({ default: false, about: "read the noise off the clipped sample as well" }),
    endAtFirst: boolean({
      default: false,
      about: "the last step leads to timestep 0 instead of the clean sample, as SD has it",
    }),
  },
  create({ eta, clip, clipNoise, endAtFirst, ...options }, container): Sampler {
    const process = container.get(PROCESS);
    const end = endAtFirst ? process.sigmas?.[0] : 0;
    const ends = endsOf("ddim", process, stridesOf("ddim", process, options), end);
    const rule = ddimStep(clip, clipNoise);
    const steps = ends.map(({ from, to }) => {
      const up = eta * noiseBetween(from, to, to);
      const factors = ddimFactors(from, to, Math.sqrt(Math.max(to.noise ** 2 - up ** 2, 0)));
      return noised({ rule, values: { ...inputOf(from), ...factors } }, up);
    });
    return { ...startOf(process, ends), steps };
  },
});
