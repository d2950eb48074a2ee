import { add, div, log, mul, reshape, sqrt, square } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * EDM preconditioning (Karras et al. 2022, arXiv:2206.00364, Table 1), for noise levels sigma [B] and images x [B, …]:
 * D(x; σ) = cSkip·x + cOut·F(cIn·x; cNoise).
 */
export interface Preconditioning {
  /** σd² / (σ² + σd²), shaped to broadcast over x. */
  readonly cSkip: Tensor;
  /** σ·σd / √(σ² + σd²) */
  readonly cOut: Tensor;
  /** 1 / √(σ² + σd²) */
  readonly cIn: Tensor;
  /** ln(σ) / 4, [B] */
  readonly cNoise: Tensor;
}

/** The coefficients at noise levels sigma [B], each [B, 1, …] with `rank` dimensions, to be multiplied with samples. */
export function precondition(sigma: Tensor, sigmaData: number, rank: number): Preconditioning {
  const s = perSample(sigma, rank);
  const total = add(square(s), sigmaData ** 2);
  return {
    cSkip: div(sigmaData ** 2, total),
    cOut: div(mul(s, sigmaData), sqrt(total)),
    cIn: div(1, sqrt(total)),
    cNoise: mul(log(sigma), 0.25),
  };
}

/** λ(σ) = σ⁻² + σd⁻², the weight that makes the effective loss of F equal at all levels. sigma [B] → [B, 1, …]. */
export const edmWeight = (sigma: Tensor, sigmaData: number, rank: number): Tensor =>
  add(div(1, square(perSample(sigma, rank))), sigmaData ** -2);

/** One number per sample, [B], shaped to broadcast over tensors of `rank` axes. */
export const perSample = (values: Tensor, rank: number): Tensor =>
  reshape(values, [values.shape[0], ...new Array<number>(rank - 1).fill(1)]);

/** x_t = x + σ·ε, the forward process of EDM. */
export const addNoise = (x: Tensor, sigma: Tensor, eps: Tensor): Tensor =>
  add(x, mul(perSample(sigma, x.shape.length), eps));
