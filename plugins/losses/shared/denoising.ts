import { addNoise } from "../../../core/diffusion/mod.ts";
import type { Denoiser, NoiseProcess } from "../../../core/interfaces/mod.ts";
import { mul, square, sub } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import type { NoisedSamples } from "./distillation.ts";

/** λ(σ) (D(x + σ·ε; σ) − x)² of every element, λ that of the process. x [B, …] → [B, …]. */
export function denoisingTerms(
  { x, sigma, eps, condition }: NoisedSamples,
  denoiser: Denoiser,
  process: Pick<NoiseProcess, "weight">,
): Tensor {
  const xt = addNoise(x, sigma, eps);
  const lambda = process.weight(sigma, x.shape.length);
  return mul(lambda, square(sub(denoiser.denoise(xt, sigma, condition), x)));
}
