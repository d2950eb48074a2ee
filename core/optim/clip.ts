import { add } from "../ops/add.ts";
import { div } from "../ops/div.ts";
import { minimum } from "../ops/minimum.ts";
import { constant } from "../ops/sources.ts";
import { sqrt } from "../ops/sqrt.ts";
import { square } from "../ops/square.ts";
import { sum } from "../ops/sum.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** ‖g‖ = √Σ g² over all elements of all gradients → scalar. */
export const gradientNorm = (gradients: readonly Tensor[]): Tensor =>
  sqrt(gradients.map((g) => sum(square(g))).reduce((a, b) => add(a, b)));

/**
 * The factor that shortens all gradients together to a norm of at most `maxNorm`: min(1, maxNorm / (‖g‖ + 1e-6)), as
 * PyTorch does; 1 when `maxNorm` is infinite. Multiply the gradients by it: that becomes part of the update's kernel.
 * @param lossScale what the loss, and with it the gradients, was multiplied by: norm and factor take it out again
 */
export function clip(
  gradients: readonly Tensor[],
  maxNorm: number,
  lossScale?: Tensor,
): { readonly norm: Tensor; readonly scale: Tensor } {
  const whole = gradientNorm(gradients);
  const norm = lossScale ? div(whole, lossScale) : whole;
  // Infinity has no literal in WGSL, and a constant 1 is simplified away.
  const shortened = maxNorm === Infinity ? constant(1) : minimum(div(maxNorm, add(norm, 1e-6)), 1);
  return { norm, scale: lossScale ? div(shortened, lossScale) : shortened };
}
