import type { Loss } from "../../core/interfaces/mod.ts";
import { constant, max, min } from "../../core/ops/mod.ts";
import { choice, definePlugin, number } from "../../core/plugin/mod.ts";
import { type Divergence, divergences, divergenceWeights } from "./shared/divergences.ts";
import { matching, matchingOptions } from "./shared/matching.ts";
import {
  binned,
  binsOf,
  checkRatio,
  evened,
  nextBins,
  RATIO_BINS,
  type RatioBins,
  ratioOf,
  ratioOptions,
} from "./shared/ratio.ts";

/**
 * Distribution matching for any f-divergence: DMD2's gradient times a weight of each sample.
 *   ρ = clamp(e^l, ratioMin, ratioMax), l the discriminator's logit of x_t;   ρ ← ρ/b, b the mean ρ of its bin of levels
 *   g = h(ρ)/mean h · (D_fake − D_real)(x_t; σ) / mean|x − D_real|,  h of `divergences`;   L = ½ mean (x − sg[x − g])²
 * The method says how many bins lie over [sigmaMin, sigmaMax], and whether b is a running mean or the batch's own.
 * x [B, …] from the generator → scalar. Gradient to the generator only, none through h. Reports the least and largest h.
 * Xu et al. 2025, f-distill, arXiv:2502.15681; numbers as in NVIDIA's FastGen.
 */
export const fDistillLoss = definePlugin({
  name: "f-distill",
  kind: "loss",
  about: "Distribution matching that weighs samples by a density ratio, for seven f-divergences",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    divergence: choice(Object.keys(divergences) as Divergence[], {
      default: "js",
      about: "reverse or forward KL, Jensen-Shannon, softened reverse KL, Neyman, squared Hellinger, Jeffreys",
    }),
    ...ratioOptions,
    ...matchingOptions,
  },
  create({ weight, divergence, ...options }, container): Loss {
    checkRatio("f-distill", options);
    const match = matching("f-distill", options, container);
    return {
      name: "f-distill",
      role: "generator",
      weight,
      heeds: ["guidance"],
      compute(context) {
        const { count, memory } = binsOf("f-distill", context.stage);
        return match(context, (noisy) => {
          let ratio = ratioOf(options, context, noisy, context.generated.condition);
          if (count > 0) {
            const known = memory > 0 ? context.role<RatioBins>(RATIO_BINS).bins : constant(1, "f32", [count]);
            const here = binned(ratio, noisy.sigma, count, options);
            ratio = evened(ratio, here, nextBins(known, here, memory));
          }
          const h = divergenceWeights(divergence, ratio);
          context.report?.("least-weight", min(h));
          context.report?.("largest-weight", max(h));
          return h;
        });
      },
    };
  },
});
