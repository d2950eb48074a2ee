import type { Denoiser } from "../interfaces/denoiser.ts";
import {
  add,
  constantArray,
  div,
  log,
  matmul,
  mul,
  reshape,
  softmax,
  square,
  sub,
  sum,
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
 * x [B, …] with D elements a sample, sigma [B] → [B, …]. The softmax subtracts its maximum, so no level underflows.
 */
export function mixtureDenoiser({ means, deviations, weights }: GaussianMixture): Denoiser {
  const [K, D] = [means.length, means[0].length];
  const mu = constantArray(means.flat(), [K, D]);
  const variances = constantArray(
    deviations.map((s) => s ** 2),
    [1, K],
  );
  const logWeights = constantArray(weights.map(Math.log), [1, K]);
  return {
    denoise(x: Tensor, sigma: Tensor): Tensor {
      const B = x.shape[0];
      const flat = reshape(x, [B, D]);
      const noise = square(perSample(sigma, 2)); // [B, 1]
      const v = add(variances, noise); // [B, K]
      const offset = sub(reshape(flat, [B, 1, D]), reshape(mu, [1, K, D]));
      const distance = sum(square(offset), { axes: [2] }); // [B, K]
      const logits = sub(logWeights, add(div(distance, mul(v, 2)), mul(log(v), D / 2)));
      const share = div(softmax(logits), v); // r_k / v_k
      const pull = mul(noise, matmul(share, mu));
      const keep = mul(sum(mul(share, variances), { axes: [1], keepDims: true }), flat);
      return reshape(add(pull, keep), x.shape);
    },
  };
}
