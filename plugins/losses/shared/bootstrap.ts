import { addNoise, perSample } from "../../../core/diffusion/mod.ts";
import type { Condition } from "../../../core/interfaces/mod.ts";
import { add, div, mul, stopGradient, sub } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import type { DistillationOptions } from "./distillation.ts";

/** Noise and a step on the teacher's path from it. */
export interface BootstrapStep {
  /** ε of the path, [B, …]. */
  readonly eps: Tensor;
  /** Levels between which the step leads, [B], σ above `next` above 0. */
  readonly sigma: Tensor;
  readonly next: Tensor;
  readonly condition: Condition;
}

/**
 * BOOT: what the generator g says of the end of a step follows from what it says of its beginning.
 *   y = sg g(ε, σ);   y′ = y + (1 − next/σ) (D(y + σ·ε; σ) − y), DDIM's step of the clean part;   weight · d(g(ε, next), y′)
 * In levels σ = σ_t/α_t the step is the same in every schedule. → a loss per sample, [B]. Gradient to g alone.
 * Gu et al. 2023, arXiv:2306.05544.
 */
export function bootstrapLosses(
  { eps, sigma, next, condition }: BootstrapStep,
  generator: (eps: Tensor, level: Tensor, condition: Condition) => Tensor,
  teacher: (x: Tensor, sigma: Tensor, condition: Condition) => Tensor,
  { distance, weight }: DistillationOptions,
): Tensor {
  const y = stopGradient(generator(eps, sigma, condition));
  const way = perSample(sub(1, div(next, sigma)), eps.shape.length);
  const denoised = teacher(addNoise(y, sigma, eps), sigma, condition);
  const target = stopGradient(add(y, mul(way, sub(denoised, y))));
  const far = distance(generator(eps, next, condition), target);
  return weight ? mul(far, weight) : far;
}
