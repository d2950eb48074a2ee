import { type Loss, PROCESS } from "../../core/interfaces/mod.ts";
import { mul, square, stopGradient, sub, sum } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { matchingLevelOptions, matchingLevels } from "./shared/matching.ts";
import { binned, binsOf, checkRatio, RATIO_BINS, type RatioBins, ratioOf, ratioOptions } from "./shared/ratio.ts";

/**
 * Running means of density ratios by noise level, for f-distill.
 *   L = ½ (1 − m) Σ (b − mean ρ)² over the bins that samples fall into, m the method's memory
 * A gradient step of rate 1 is b ← m·b + (1 − m)·mean ρ. Levels and noise are drawn for the images of the generator's turn,
 * as `f-distill` draws its own. x [B, …] → scalar; gradient to the role `ratio-bins` only.
 * Xu et al. 2025, arXiv:2502.15681; FastGen moves the bins with the very draws of the generator's loss.
 */
export const ratioBinsLoss = definePlugin({
  name: "ratio-bins",
  kind: "loss",
  about: "Running mean of the density ratio in each bin of noise levels",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the total of the bins; 0 is off" }),
    ...ratioOptions,
    ...matchingLevelOptions,
  },
  create({ weight, ...options }, container): Loss {
    checkRatio("ratio-bins", options);
    const drawn = matchingLevels("ratio-bins", options, container.get(PROCESS));
    return {
      name: "ratio-bins",
      role: RATIO_BINS,
      weight,
      compute(context) {
        const { count, memory } = binsOf("ratio-bins", context.stage);
        const { x, condition } = context.generated;
        const noisy = drawn(stopGradient(x), context.noise);
        const { means, hit } = binned(ratioOf(options, context, noisy, condition), noisy.sigma, count, options);
        const { bins } = context.role<RatioBins>(RATIO_BINS);
        return mul(0.5 * (1 - memory), sum(mul(hit, square(sub(bins, stopGradient(means))))));
      },
    };
  },
});
