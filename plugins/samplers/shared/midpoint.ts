import type { SamplerModel } from "../../../core/interfaces/mod.ts";
import { add, mul, sub } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { towards, type Values } from "./churn.ts";

/** Numbers of a midpoint step from σ to `next`; the midpoint is √(σ·next). */
export function midpointValues(sigma: number, next: number): Record<string, number> {
  const middle = Math.sqrt(sigma * next);
  return { sigma, middle, reach: middle / sigma, fall: (next - sigma) / middle };
}

/** x₂ by Euler at the midpoint, then the whole step along the slope there: x + (next − σ) (x₂ − D(x₂; m))/m. */
export function midpointStep(
  x: Tensor,
  { sigma, middle, reach, fall }: Values,
  model: SamplerModel,
): Tensor {
  const halfway = towards(x, model.denoise(x, sigma), reach);
  return add(x, mul(fall, sub(halfway, model.denoise(halfway, middle))));
}
