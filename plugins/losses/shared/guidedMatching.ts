import { addNoise } from "../../../core/diffusion/mod.ts";
import type { Denoiser } from "../../../core/interfaces/mod.ts";
import { mul, stopGradient } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import type { DistillationOptions, NoisedSamples } from "./distillation.ts";

/**
 * The generator says in one call what its guided teacher says in two:  weight · d(D_θ(x + σ·ε; σ, c, w), sg D_w(x + σ·ε; σ, c)).
 * w is the entry `guidance` of the condition; the teacher is guided by it already (guidance.ts). → a loss per sample, [B].
 * Gradient to the generator alone. Meng et al. 2022, arXiv:2210.03142, Eq. 3.
 */
export function guidedMatchingLosses(
  { x, eps, sigma, condition }: NoisedSamples,
  { generator, teacher }: Readonly<Record<"generator" | "teacher", Denoiser>>,
  { distance, weight }: DistillationOptions,
): Tensor {
  const xt = addNoise(x, sigma, eps);
  const said = generator.denoise(xt, sigma, condition);
  const far = distance(said, stopGradient(teacher.denoise(xt, sigma, condition)));
  return weight ? mul(far, weight) : far;
}
