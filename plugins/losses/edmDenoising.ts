import { addNoise, edmWeight } from "../../core/diffusion/mod.ts";
import { DATA_SHAPE, LOSSES, type Loss, type LossContext } from "../../core/interfaces/mod.ts";
import { mean, mul, square, sub } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";

/**
 * Denoising loss that trains a teacher on real data.
 *   ln σ ~ N(pMean, pStd²),  L = mean λ(σ) (D(x + σ·ε; σ) − x)²,  λ(σ) = σ⁻² + σ_data⁻²
 * x [B, …] real → scalar. Gradient to the teacher. The mean is over all elements; EDM's own code sums over a sample.
 * Karras et al. 2022, arXiv:2206.00364, Table 1.
 */
export const edmDenoising = definePlugin({
  name: "edm-denoising",
  kind: "loss",
  token: LOSSES,
  about: "Trains the teacher to denoise real data, with EDM's noise levels and weights",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the teacher's total; 0 is off" }),
    pMean: number({ default: -1.2, about: "mean of ln sigma" }),
    pStd: number({ default: 1.2, min: 0, about: "standard deviation of ln sigma" }),
  },
  create({ weight, pMean, pStd }, container): Loss {
    const { sigmaData } = container.get(DATA_SHAPE);
    return {
      name: "edm-denoising",
      role: "teacher",
      weight,
      compute: (context) => mean(weightedSquares(context, { pMean, pStd, sigmaData })),
    };
  },
});

/** λ(σ) (D(x + σ·ε; σ) − x)² of every element, [B, …]. The network that learns may drop activations and labels. */
export function weightedSquares(
  { real: { x, condition }, teacher, noise }: LossContext,
  { pMean, pStd, sigmaData }: { pMean: number; pStd: number; sigmaData: number },
): Tensor {
  const sigma = noise.logNormal(x.shape[0], pMean, pStd);
  const xt = addNoise(x, sigma, noise.normalLike(x));
  const lambda = edmWeight(sigma, sigmaData, x.shape.length);
  const denoised = teacher.denoise(xt, sigma, { ...condition, dropout: noise });
  return mul(lambda, square(sub(denoised, x)));
}
