import type { Loss } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { matching, matchingOptions } from "./shared/matching.ts";

/**
 * Distribution matching, the heart of DMD2.
 *   k ~ U{⌊minStep·n⌋ … ⌊maxStep·n⌋},  x_t = x + σ_k·ε
 *   g = (D_fake − D_real)(x_t; σ_k) / mean|x − D_real|,  a mean per sample; 0/0 counts as 0
 *   L = ½ mean (x − sg[x − g])²,  so that ∂L/∂x = g / numel; its value, ½ mean g², does not measure convergence
 * `normalise` takes the mean over the whole batch instead, or leaves D_fake − D_real as it is; `epsilon` is added to the mean.
 * Reports the critic's lag, √mean (mean_B r)² with r = (D_fake − x)/rms: the residual of an exact critic has mean 0, so the
 * lag of B samples is about 1/√B, and more where the critic is behind the generator.
 * Where the generator learns guidance scales, D_real is guided by that of each sample.
 * x [B, …] from the generator → scalar. Gradient to the generator only: none to teacher or critic, none through x_t.
 * Yin et al. 2024, DMD2, arXiv:2405.14867; the weight per sample is from DMD, arXiv:2311.18828, without its α_t.
 */
export const distributionMatching = definePlugin({
  name: "distribution-matching",
  kind: "loss",
  about: "Moves generated samples from where the critic sees them to where the teacher does",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    ...matchingOptions,
  },
  create({ weight, ...options }, container): Loss {
    const compute = matching("distribution-matching", options, container);
    return {
      name: "distribution-matching",
      role: "generator",
      weight,
      heeds: ["guidance"],
      compute: (context) => compute(context),
    };
  },
});
