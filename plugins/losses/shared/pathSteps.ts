/** Steps of a frozen teacher along the probability flow, for losses that hold a generator to where they lead. */
import { perSample } from "../../../core/diffusion/mod.ts";
import type { Condition, Denoiser } from "../../../core/interfaces/mod.ts";
import { add, clamp, div, mul, sub } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/** D + (next/σ)(x − D): Euler's step in σ, which is DDIM's. x, denoised [B, …]; sigma, next [B]; next may be 0. */
export function eulerTo(x: Tensor, denoised: Tensor, sigma: Tensor, next: Tensor): Tensor {
  const keep = perSample(div(next, sigma), x.shape.length);
  return add(denoised, mul(keep, sub(x, denoised)));
}

/** A denoiser's own step from `sigma` to `next`, both [B]. x [B, …]. */
export type PathStep = (
  denoiser: Denoiser,
  x: Tensor,
  levels: { readonly sigma: Tensor; readonly next: Tensor; readonly condition: Condition },
) => Tensor;

/** Euler's step, DDIM's; to 0 it is the prediction. */
export const ddimTo: PathStep = ({ denoise }, x, { sigma, next, condition }) =>
  eulerTo(x, denoise(x, sigma, condition), sigma, next);

/**
 * Heun's step: the mean of the slopes at both ends.
 *   d = (x − D(x; σ))/σ;   x′ = x + (next − σ) d;   x + (next − σ) (d + (x′ − D(x′; next))/next)/2
 * x [B, …]; sigma, next [B], next above 0. Karras et al. 2022, arXiv:2206.00364, Algorithm 1.
 */
export const heunTo: PathStep = ({ denoise }, x, { sigma, next, condition }) => {
  const at = (values: Tensor) => perSample(values, x.shape.length);
  const slope = (y: Tensor, level: Tensor) => div(sub(y, denoise(y, level, condition)), at(level));
  const way = at(sub(next, sigma));
  const first = slope(x, sigma);
  const second = slope(add(x, mul(way, first)), next);
  return add(x, mul(mul(way, 0.5), add(first, second)));
};

/** A denoiser whose predictions stay in [−clip, clip]; as it is without a bound. */
export const clipped = (denoiser: Denoiser, clip?: number): Denoiser =>
  clip === undefined
    ? denoiser
    : { denoise: (...noisy) => clamp(denoiser.denoise(...noisy), { min: -clip, max: clip }) };
