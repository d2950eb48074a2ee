import { PROCESS, type Sampler } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { consistencyOptions, consistencyTimestepsOf } from "./shared/consistency.ts";
import { noised } from "./shared/rules.ts";
import { between, endsOf, inputOf, predictStep, startOf } from "./shared/timesteps.ts";

/**
 * Multistep sampling of a latent consistency model; x_t = a·x0 + b·ε, p the next timestep, τ = scaling·t.
 *   c_skip = σd²/(τ² + σd²),  c_out = τ/√(τ² + σd²);   x0 = c_out·D(x/a; b/a) + c_skip·x
 *   x ← a_p·x0 + b_p·ε,   at the last step x ← x0
 * x [B, …], as the model sees it: N(0, I) at the start. NFE is the number of timesteps.
 * Luo et al. 2023, arXiv:2310.04378, Algorithm 3.
 */
export const lcm = definePlugin({
  name: "lcm",
  kind: "sampler",
  about: "Latent consistency sampling: predict and add fresh noise, one network call per step",
  options: {
    ...consistencyOptions,
    scaling: number({ default: 10, above: 0, about: "factor on the timestep in c_skip and c_out" }),
    sigmaData: number({ default: 0.5, above: 0, about: "σd of c_skip and c_out" }),
  },
  create({ scaling, sigmaData, clip, ...options }, container): Sampler {
    const process = container.get(PROCESS);
    const timesteps = consistencyTimestepsOf("lcm", process, options);
    const ends = endsOf("lcm", process, between(timesteps, -1));
    const rule = predictStep(clip);
    const steps = ends.map(({ from, to }, i) => {
      const tau = scaling * timesteps[i];
      const total = tau ** 2 + sigmaData ** 2;
      const [skip, out] = [sigmaData ** 2 / total, tau / Math.sqrt(total)];
      const factors = { take: to.signal * out, keep: to.signal * skip };
      return noised({ rule, values: { ...inputOf(from), ...factors } }, to.noise);
    });
    return { ...startOf(process, ends), steps };
  },
});
