import { addNoise, perSample } from "../../../core/diffusion/mod.ts";
import type { Denoiser } from "../../../core/interfaces/mod.ts";
import { div, equal, mul, stopGradient, sub, where } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import type { DistillationOptions, NoisedSamples } from "./distillation.ts";
import { eulerTo } from "./pathSteps.ts";

/**
 * Progressive distillation: one step of the generator leads where two of the teacher do.
 *   x_t = x + σ·ε;   x_m, x_n = Euler's steps of the teacher from σ to `middle` to `next`
 *   x̃ = (x_n − (next/σ)·x_t)/(1 − next/σ), from which a single step reaches x_n;   weight · d(D(x_t; σ), sg x̃)
 * Euler's step in σ is DDIM's in any coordinates, so levels may be a Karras grid or those of a cosine schedule. σ > middle >
 * next [B]; next may be 0; then x̃ is the prediction of the teacher's second step, by `teacher.final` when given.
 * → a loss per sample, [B]. Gradient to the generator alone. Salimans & Ho 2022, arXiv:2202.00512, Algorithm 2.
 */
export function progressiveLosses(
  { x, eps, sigma, middle, next, condition }: NoisedSamples & { readonly middle: Tensor; readonly next: Tensor },
  { generator, teacher, final }: { generator: Denoiser; teacher: Denoiser; final?: Denoiser },
  { distance, weight }: DistillationOptions,
): Tensor {
  const rank = x.shape.length;
  const xt = addNoise(x, sigma, eps);
  const said = generator.denoise(xt, sigma, condition);
  const xm = eulerTo(xt, teacher.denoise(xt, sigma, condition), sigma, middle);
  const xn = eulerTo(xm, teacher.denoise(xm, middle, condition), middle, next);
  const kept = perSample(div(next, sigma), rank);
  const across = div(sub(xn, mul(kept, xt)), sub(1, kept));
  const held = final ? where(equal(perSample(next, rank), 0), final.denoise(xm, middle, condition), across) : across;
  const far = distance(said, stopGradient(held));
  return weight ? mul(far, weight) : far;
}
