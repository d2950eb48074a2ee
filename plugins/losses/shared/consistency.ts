import { addNoise } from "../../../core/diffusion/mod.ts";
import type { Denoiser } from "../../../core/interfaces/mod.ts";
import { mul, stopGradient } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import type { DistillationOptions, NoisedSamples } from "./distillation.ts";
import { ddimTo, heunTo, type PathStep } from "./pathSteps.ts";

/**
 * Consistency distillation: the generator gives the same sample at both ends of a step of the teacher.
 *   x_t = x + σ·ε;   x_n = a step of the teacher from σ to `next`, Heun's by default;   weight · d(f(x_t; σ), sg f⁻(x_n; next))
 * `generator` f and `target` f⁻, its average, are x at the lowest level (boundary.ts); `next` [B], below σ and above 0.
 * → a loss per sample, [B]. Gradient to the generator alone. Song et al. 2023, arXiv:2303.01469, Algorithm 2.
 */
export function consistencyLosses(
  { x, eps, sigma, next, condition }: NoisedSamples & { readonly next: Tensor },
  roles: Readonly<Record<"generator" | "target" | "teacher", Denoiser>>,
  { distance, weight, step = heunTo }: DistillationOptions & { readonly step?: PathStep },
): Tensor {
  const xt = addNoise(x, sigma, eps);
  const said = roles.generator.denoise(xt, sigma, condition);
  const xn = stopGradient(step(roles.teacher, xt, { sigma, next, condition }));
  const held = stopGradient(roles.target.denoise(xn, next, condition));
  const far = distance(said, held);
  return weight ? mul(far, weight) : far;
}

/**
 * Consistency training: the same without a teacher. What is known of x stands for its estimate, so that x_n is x in the same noise
 * at the level `next`: x_n = x + (next/σ)(x_t − x) = x + next·ε. Song et al. 2023, arXiv:2303.01469, Algorithm 3.
 */
export const consistencyTrainingLosses = (
  samples: NoisedSamples & { readonly next: Tensor },
  roles: Readonly<Record<"generator" | "target", Denoiser>>,
  options: DistillationOptions,
): Tensor =>
  consistencyLosses(samples, { ...roles, teacher: { denoise: () => samples.x } }, { ...options, step: ddimTo });
