import { flowTime, perSample } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import { type Denoiser, GENERATOR, type Loss } from "../../core/interfaces/mod.ts";
import { add, div, mean, mul, sub, toFloat } from "../../core/ops/mod.ts";
import { choice, definePlugin, number } from "../../core/plugin/mod.ts";
import { sampleDistances } from "./shared/distillation.ts";
import { pairsOption, pathSource } from "./shared/pathSource.ts";
import { flowLosses } from "./shared/straightPath.ts";

/**
 * Reflow: the generator's velocity is that of the straight path from the teacher's noise to the teacher's sample.
 *   from x_T = start·z/(1 + σ_0) at T = σ_0/(1 + σ_0) to y at 0:   ε̂ = y + (x_T − y)/T,  which is z for a flow's T = 1
 *   x_t = (1 − t)·y + t·ε̂;   L = mean d(v(x_t; t), ε̂ − y),   v = (x_t − D_G(x_t/(1 − t); t/(1 − t)))/t
 * The stage says the times, by its number `parts`: 0 is t ~ U(timeMin, T), and k the times T, T(k − 1)/k, … T/k of as many Euler
 * steps, which distils. By `round`, pairs are the teacher's in round 1, later those of `flow`, the generator of the round before.
 * A network of any process has such a velocity; that of `rectified-flow` predicts it. z, y [B, …] of the run's sampler on new
 * noise in every update, or in round 1 of a file of `onestep pairs` → scalar. Gradient to the generator only.
 * Liu et al. 2022, arXiv:2209.03003; Liu et al. 2023, InstaFlow, arXiv:2309.06380.
 */
export const reflowLoss = definePlugin({
  name: "reflow",
  kind: "loss",
  about: "Straightens the generator's path from noise to the teacher's sample",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    pairs: pairsOption,
    distance: choice(["l2", "l1"], { default: "l2", about: "mean square or absolute difference" }),
    timeMin: number({ default: 1e-3, above: 0, max: 0.5, about: "least time that reflow draws; 0 is the sample" }),
  },
  create({ weight, pairs, distance, timeMin }, container): Loss {
    const { sigmas, startScale = sigmas[0] } = container.get(GENERATOR);
    const last = flowTime(sigmas[0]);
    const { path, ...source } = pathSource("reflow", pairs, sigmas.slice(0, 1), container);
    return {
      name: "reflow",
      role: "generator",
      weight,
      ...source,
      compute(context) {
        const { generator, noise, stage } = context;
        const { parts, round = 1 } = stage.numbers ?? {};
        if (parts === undefined)
          throw failure(
            "E_CONFIG",
            `Cannot train with reflow: the stage ${stage.name} has no number of parts, the method reflow should give it`,
          );
        const whose = round > 1 ? "flow" : "teacher";
        const { z, y, condition } = path(context, () => context.role(whose), whose);
        const [B] = y.shape;
        const end = add(y, mul(sub(mul(z, startScale / (1 + sigmas[0])), y), 1 / last));
        const time =
          parts > 0
            ? mul(toFloat(noise.integers(B, 1, parts + 1)), last / parts)
            : add(mul(noise.uniform([B]), last - timeMin), timeMin);
        return mean(flowLosses({ x: y, z: end, time, condition }, velocityOf(generator), sampleDistances[distance]));
      },
    };
  },
});

/** The velocity ε − x0 that a denoiser of any kind predicts. xt [B, …], time [B], above 0 and below 1. */
const velocityOf =
  ({ denoise }: Denoiser): Parameters<typeof flowLosses>[1] =>
  (xt, time, condition) => {
    const rest = sub(1, time);
    const at = (values: typeof time) => perSample(values, xt.shape.length);
    return div(sub(xt, denoise(div(xt, at(rest)), div(time, rest), condition)), at(time));
  };
