import type { SigmaDistribution } from "../../core/diffusion/mod.ts";
import { DROPOUT, type Loss, type LossContext, type NoiseProcess, PROCESS } from "../../core/interfaces/mod.ts";
import { mean } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { denoisingTerms } from "./shared/denoising.ts";
import { distributionOf, distributionOptions } from "./shared/sigmaDistribution.ts";

/**
 * Denoising loss that trains a teacher on real data.
 *   ln σ ~ N(pMean, pStd²),  L = mean λ(σ) (D(x + σ·ε; σ) − x)²,  λ(σ) of the run's process: σ⁻² + σ_data⁻² for EDM's
 * Option `levels` draws σ in other ways: ln σ uniform, or by the time t = σ/(1 + σ) of a rectified flow, logit-normal or uniform;
 * `shift` is a factor on it. λ stays, so the share of each level in the loss is that of the draws.
 * x [B, …] real → scalar. Gradient to the teacher. The mean is over all elements; EDM's own code sums over each sample.
 * Karras et al. 2022, arXiv:2206.00364, Table 1; Esser et al. 2024, arXiv:2403.03206, section 3.1, for times of a flow.
 */
export const edmDenoising = definePlugin({
  name: "edm-denoising",
  kind: "loss",
  about: "Trains the teacher to denoise real data, with EDM's noise levels and weights",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the teacher's total; 0 is off" }),
    ...distributionOptions,
  },
  create({ weight, ...options }, container): Loss {
    const process = container.get(PROCESS);
    const distribution = distributionOf("edm-denoising", options);
    return {
      name: "edm-denoising",
      role: "teacher",
      weight,
      compute: (context) => mean(weightedSquares(context, distribution, process)),
    };
  },
});

/** λ(σ) (D(x + σ·ε; σ) − x)² of every element, [B, …]. The network that learns may drop activations and labels. */
export function weightedSquares(
  { real: { x, condition }, teacher, noise }: LossContext,
  distribution: SigmaDistribution,
  process: NoiseProcess,
): Tensor {
  const sigma = distribution(noise, x.shape[0]);
  const samples = { x, sigma, eps: noise.normalLike(x), condition: { ...condition, [DROPOUT]: noise } };
  return denoisingTerms(samples, teacher, process);
}
