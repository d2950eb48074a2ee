import { perSample } from "../../../core/diffusion/mod.ts";
import { add, div, mean, mul, sqrt, square, stopGradient, sub } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/**
 * mean c(σ) (x − sg D)² with c = 1/√(1 + σ²), which is α of a process that keeps the variance, or 1. ∂L/∂x = 2c (x − D)/numel:
 * distribution matching of a critic that believes every sample, without a normaliser. x, D [B, …], sigma [B] → scalar.
 * Sauer et al. 2023, arXiv:2311.17042, Eq. 4 and 5.
 */
export function scoreDistillationLoss(
  x: Tensor,
  denoised: Tensor,
  sigma: Tensor,
  weighting: "exponential" | "none",
): Tensor {
  const squares = square(sub(x, stopGradient(denoised)));
  if (weighting === "none") return mean(squares);
  const c = div(1, sqrt(add(1, square(sigma))));
  return mean(mul(perSample(c, x.shape.length), squares));
}
