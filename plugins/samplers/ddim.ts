import { type Mixing, mixingAt } from "../../core/diffusion/mod.ts";
import { SAMPLER, type Sampler, type SamplerRule } from "../../core/interfaces/mod.ts";
import { add, mul } from "../../core/ops/mod.ts";
import { boolean, definePlugin, number } from "../../core/plugin/mod.ts";
import { noised } from "./shared/rules.ts";
import {
  clipped,
  ddimFactors,
  endsOf,
  stridesOf,
  tableOf,
  timestepOptions,
} from "./shared/timesteps.ts";

/**
 * DDIM on a table of timesteps; x_t = a·x0 + b·ε, p the timestep that a step leads to.
 *   x0 = D(x/a; b/a);   ε̂ = (x − a·x0)/b;   s² = η² (b_p²/b²) (1 − a²/a_p²)
 *   x ← a_p·x0 + √(b_p² − s²)·ε̂ + s·ε
 * eta 0 is deterministic, 1 has the noise of DDPM. x [B, …], of variance 1 at the start. NFE is the number of timesteps.
 * Song et al. 2021, arXiv:2010.02502, Eq. 12 and 16.
 */
export const ddim = definePlugin({
  name: "ddim",
  kind: "sampler",
  token: SAMPLER,
  about: "DDIM on discrete timesteps, deterministic or with noise, one network call a step",
  options: {
    ...timestepOptions,
    eta: number({ default: 0, min: 0, max: 1, about: "share of DDPM's noise" }),
    clipNoise: boolean({ default: false, about: "read the noise off the clipped sample too" }),
    endAtFirst: boolean({
      default: false,
      about: "the last step leads to timestep 0 instead of the clean sample, as SD has it",
    }),
  },
  create({ eta, clip, clipNoise, endAtFirst, ...options }): Sampler {
    const table = tableOf(options.schedule);
    const last = endAtFirst ? mixingAt(table, 0) : undefined;
    const ends = endsOf("ddim", table, stridesOf("ddim", { ...options, clip }), last);
    const step: SamplerRule = (x, { sigma, widen, keep, take, leave }, model) => {
      const denoised = model.denoise(mul(x, widen), sigma);
      const clean = clipped(denoised, clip);
      const parted = add(mul(take, clean), mul(leave, clipNoise ? clean : denoised));
      return add(mul(keep, x), parted);
    };
    const steps = ends.map(({ from, to, sigma }) => {
      const up = eta * noiseOf(from, to);
      const factors = ddimFactors(from, to, Math.sqrt(Math.max(to.noise ** 2 - up ** 2, 0)));
      return noised({ rule: step, values: { sigma, widen: 1 / from.signal, ...factors } }, up);
    });
    return { sigmaMax: ends[0].sigma, startScale: 1, steps };
  },
});

/** The standard deviation of DDPM's noise between two timesteps: √((b_p²/b²) (1 − a²/a_p²)). */
const noiseOf = (from: Mixing, to: Mixing): number =>
  (to.noise / from.noise) * Math.sqrt(Math.max(1 - (from.signal / to.signal) ** 2, 0));
