import { perSample } from "../../../core/diffusion/mod.ts";
import { add, constant, div, square } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/** What a denoiser can be held to. */
export const targets = ["x0", "eps", "v", "flow"] as const;

/**
 * λ(σ) such that λ (D − x)² is the squared error of the prediction of a network of that kind, for x_t = x + σ·ε:
 *   x0    1
 *   eps   ε = (x_t − x)/σ:                                    σ⁻², Ho et al. 2020, arXiv:2006.11239
 *   v     (ε − σ x)/√(1 + σ²), of the variance-preserving x_t: 1 + σ⁻², Salimans & Ho 2022, arXiv:2202.00512
 *   flow  ε − x, at time σ/(1 + σ):                           (1 + σ⁻¹)², Lipman et al. 2022, arXiv:2210.02747
 * sigma [B] → [B, 1, …] of `rank` axes.
 */
export function targetWeight(target: (typeof targets)[number], sigma: Tensor, rank: number): Tensor {
  const inverse = div(1, perSample(sigma, rank));
  if (target === "eps") return square(inverse);
  if (target === "v") return add(square(inverse), 1);
  if (target === "flow") return square(add(inverse, 1));
  return constant(1, "f32", inverse.shape);
}
