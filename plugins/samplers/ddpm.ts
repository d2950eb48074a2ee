import { SAMPLER, type Sampler } from "../../core/interfaces/mod.ts";
import { add, mul } from "../../core/ops/mod.ts";
import { choice, definePlugin } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
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
    return {
      sigmaMax: ends[0].sigma,
      startScale: 1,
      steps: ends.map(({ from, to, sigma }, i) => {
        const alpha = (from.signal / to.signal) ** 2;
        const [all, rest] = [from.noise ** 2, to.noise ** 2];
        const values = {
          sigma,
          widen: 1 / from.signal,
          take: (to.signal * (1 - alpha)) / all,
          keep: (Math.sqrt(alpha) * rest) / all,
        };
        if (strides[i].timestep === 0) return { rule: "mean", values };
        const spread = (1 - alpha) * (variance === "small" ? rest / all : 1);
        // Never zero: the step to the clean sample keeps a trace of noise, as the public scheduler has it.
        return { rule: "ancestral", values: { ...values, up: Math.sqrt(Math.max(spread, 1e-20)) } };
      }),
      rules: {
        mean: (x, values, model) => mean(x, values, model.denoise, clip),
        ancestral: (x, values, model) =>
          add(mean(x, values, model.denoise, clip), mul(values.up, model.noise())),
      },
    };
  },
});

const mean = (
  x: Tensor,
  { sigma, widen, take, keep }: Readonly<Record<string, Tensor>>,
  denoise: (x: Tensor, sigma: Tensor) => Tensor,
  clip: number | undefined,
): Tensor => add(mul(take, clipped(denoise(mul(x, widen), sigma), clip)), mul(keep, x));
