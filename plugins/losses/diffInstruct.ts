import type { Loss } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { guidedAsLearnt } from "./shared/guidance.ts";
import { differenceTerms } from "./shared/matching.ts";
import { perSampleSum } from "./shared/scoreIdentity.ts";
import { distributionOf, distributionOptions } from "./shared/sigmaDistribution.ts";

/**
 * Integral Kullback-Leibler divergence: distribution matching at EDM's training levels, without a normaliser.
 *   ln σ ~ N(pMean, pStd²),  x_t = x + σ·ε,  L = Σ sg[(D_fake − D_real)(x_t; σ)]·x / B,  so that ∂L/∂x = (D_fake − D_real)/B
 * Where the generator learns guidance scales, D_real is guided by that of each sample. The value of L measures nothing. x [B, …] from the generator → scalar; gradient to the generator only, none through x_t.
 * Luo et al. 2023, Diff-Instruct, arXiv:2305.18455, with weight 1 as in the official code.
 */
export const diffInstructLoss = definePlugin({
  name: "diff-instruct",
  kind: "loss",
  about: "Moves generated samples by the plain difference of critic and teacher, at EDM's levels",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    ...distributionOptions,
  },
  create({ weight, ...options }, container): Loss {
    const guided = guidedAsLearnt("diff-instruct", container);
    const distribution = distributionOf("diff-instruct", options);
    return {
      name: "diff-instruct",
      role: "generator",
      weight,
      heeds: ["guidance"],
      compute({ generated: { x, condition }, teacher, critic, noise }) {
        const sigma = distribution(noise, x.shape[0]);
        const samples = { x, sigma, eps: noise.normalLike(x), condition };
        return perSampleSum(differenceTerms(samples, { teacher: guided(teacher), critic }));
      },
    };
  },
});
