import type { Denoiser } from "../interfaces/denoiser.ts";
import {
  add,
  constantArray,
  div,
  greater,
  log1p,
  matmul,
  mul,
  neg,
  reshape,
  softmax,
  square,
  sub,
  sum,
  where,
} from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { perSample } from "./edm.ts";

/** Isotropic Gaussians: p(x) = Σ_k weights[k] · N(x; means[k], deviations[k]²·I). */
export interface GaussianMixture {
  /** Centres, K points of D coordinates each. */
  readonly means: readonly (readonly number[])[];
  /** Standard deviation of each mode along every axis, above 0. */
  readonly deviations: readonly number[];
  /** Relative frequency of each mode, above 0. */
  readonly weights: readonly number[];
}

/**
 * The exact denoiser of a mixture, E[x₀ | x]:
 *   v_k = s_k² + σ²,  r = softmax_k( ln w_k − |x − μ_k|² / 2v_k − (D/2) ln v_k ),
 *   D(x; σ) = Σ_k r_k (σ² μ_k + s_k² x) / v_k.
 * x [B, …] with D elements per sample, sigma [B] → [B, …]. The softmax subtracts its maximum, so no level underflows. At levels
 * above the means the terms that all modes have in common are left out before they are computed: with v₀ = s₀² + σ²
 *   |x − μ_k|²/v_k − |x|²/v₀ = |x|² (s₀² − s_k²)/(v_k v₀) + (|μ_k|² − 2 x·μ_k)/v_k,
 * which keeps float32 accurate where |x|² is thousands of times what tells the modes apart.
 */
export function mixtureDenoiser({ means, deviations, weights }: GaussianMixture): Denoiser {
  const [K, D] = [means.length, means[0].length];
  const row = (values: number[]) => constantArray(values, [1, K]);
  const squares = deviations.map((s) => s ** 2);
  const norms = means.map((mean) => mean.reduce((sum, each) => sum + each ** 2, 0));
  const mu = constantArray(means.flat(), [K, D]);
  const [variances, logWeights] = [row(squares), row(weights.map(Math.log))];
  const pivot = squares[0];
  const apart = row(squares.map((each) => pivot - each)); // s₀² − s_k²
  return {
    denoise(x: Tensor, sigma: Tensor): Tensor {
      const B = x.shape[0];
      const flat = reshape(x, [B, D]);
      const noise = square(perSample(sigma, 2)); // [B, 1]
      const v = add(variances, noise); // [B, K]
      const first = add(noise, pivot); // v₀, [B, 1]
      const offset = sub(reshape(flat, [B, 1, D]), reshape(mu, [1, K, D]));
      const near = div(sum(square(offset), { axes: [2] }), v); // [B, K]
      const length = sum(square(flat), { axes: [1], keepDims: true });
      const cross = sub(row(norms), mul(matmul(flat, mu, { transB: true }), 2));
      const far = add(div(mul(div(length, first), apart), v), div(cross, v));
      const distance = where(greater(noise, Math.max(...norms) / D), far, near);
      const spread = mul(log1p(neg(div(apart, first))), D); // D·ln(v_k/v₀)
      const logits = sub(logWeights, mul(add(distance, spread), 0.5));
      const share = div(softmax(logits), v); // r_k / v_k
      const pull = mul(noise, matmul(share, mu));
      const keep = mul(sum(mul(share, variances), { axes: [1], keepDims: true }), flat);
      return reshape(add(pull, keep), x.shape);
    },
  };
}
