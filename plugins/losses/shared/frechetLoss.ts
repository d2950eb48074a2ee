/** The Fréchet distance of features as a loss: roots of matrices by products alone, so that any device computes and derives them. */
import { failure } from "../../../core/errors.ts";
import { symmetricEigen } from "../../../core/linalg/mod.ts";
import {
  add,
  concat,
  constantArray,
  div,
  equal,
  iota,
  matmul,
  mean,
  mul,
  reshape,
  slice,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  transpose,
  where,
} from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/** The features that others are held to: a Gaussian of `width` numbers. */
export interface ReferenceMoments {
  /** [width] */
  readonly mean: Tensor;
  /** S_ref^½, [width, width]. */
  readonly root: Tensor;
  /** tr S_ref. */
  readonly trace: number | Tensor;
}

/**
 * From mean [d] and covariance [d, d] of the real features, in float64. Eigenvalues below 0 are rounding and count as 0.
 * @throws E_SHAPE where the sizes do not fit
 */
export function referenceMoments(mu: ArrayLike<number>, covariance: ArrayLike<number>): ReferenceMoments {
  const d = mu.length;
  if (covariance.length !== d * d)
    throw failure(
      "E_SHAPE",
      `Cannot hold features to a covariance of ${covariance.length} numbers: should be ${d * d}`,
    );
  const { values, vectors } = symmetricEigen(covariance, d);
  const root = new Float64Array(d * d);
  for (let k = 0; k < d; k++) {
    const scale = Math.sqrt(Math.max(0, values[k]));
    for (let i = 0; i < d; i++)
      for (let j = 0; j < d; j++) root[i * d + j] += scale * vectors[k * d + i] * vectors[k * d + j];
  }
  const trace = Array.from({ length: d }, (_, i) => covariance[i * (d + 1)]).reduce((a, b) => a + b, 0);
  return { mean: constantArray(mu, [d]), root: constantArray(root, [d, d]), trace };
}

/** Newton's steps to a polar factor: singular values grow by half in each, so those above 1e-5 of the norm reach 1. */
const POLAR_STEPS = 34;
const ROOT_STEPS = 20;
/**
 * What is added to the eigenvalues of a [d, d] matrix for its roots, as a share of its norm: the least that float32 tells from 0. A
 * product of larger matrices rounds more, and an eigenvalue below 0 would grow in every step.
 */
const leastEigenvalue = (d: number): number => 2e-7 * Math.max(1, d / 16);

const norm = (x: Tensor): Tensor => sqrt(add(sum(square(x)), 1e-30));

/**
 * Sum of the singular values of M [n, d]. Its gradient is the polar factor U Vᵀ over the singular values that are not 0, so that it is
 * finite and right whatever the rank. Newton-Schulz, X ← X (3 − Xᵀ X)/2 (Higham, Functions of Matrices, Eq. 8.20).
 */
export function nuclearNorm(m: Tensor): Tensor {
  const [n, d] = m.shape;
  if (n < d) return nuclearNorm(transpose(m));
  const fixed = stopGradient(m);
  let x = div(fixed, norm(fixed));
  for (let i = 0; i < POLAR_STEPS; i++) {
    const gram = matmul(x, x, { transA: true });
    x = sub(mul(x, 1.5), mul(matmul(x, gram), 0.5));
  }
  return sum(mul(x, m));
}

/** The identity, [d, d]. */
const identity = (d: number): Tensor => where(equal(reshape(iota(d), [d, 1]), iota(d)), 1, 0);

/** A^½ and A^-½ of a symmetric A [d, d] over its norm, by coupled Newton-Schulz steps (Higham, Eq. 6.35). */
function rootsOf(fixed: Tensor, scale: Tensor): { readonly root: Tensor; readonly inverse: Tensor } {
  const [d] = fixed.shape;
  const eye = identity(d);
  let y = add(mul(div(add(fixed, transpose(fixed)), scale), 0.5), mul(eye, leastEigenvalue(d)));
  let z: Tensor = eye;
  for (let i = 0; i < ROOT_STEPS; i++) {
    const step = sub(mul(eye, 1.5), mul(matmul(z, y), 0.5));
    y = matmul(y, step);
    z = matmul(step, z);
  }
  return { root: y, inverse: z };
}

/** A^½ of a symmetric A [d, d] without negative eigenvalues; it gives no gradient. */
export function rootOf(a: Tensor): Tensor {
  const fixed = stopGradient(a);
  const scale = norm(fixed);
  return mul(rootsOf(fixed, scale).root, sqrt(scale));
}

/**
 * tr A^½ of a symmetric A [d, d] without negative eigenvalues; gradient ½ A^-½, in which eigenvalues that are 0 to float32 stay
 * bounded.
 */
export function tracedRoot(a: Tensor): Tensor {
  const fixed = stopGradient(a);
  const scale = norm(fixed);
  const { inverse: z } = rootsOf(fixed, scale);
  // What was added to an eigenvalue far above it shows by half its share: taken back. One that is 0 stays bounded.
  const inverse = add(z, mul(matmul(matmul(z, z), z), leastEigenvalue(a.shape[0]) / 2));
  const value = sum(mul(div(inverse, sqrt(scale)), a));
  // The root is of degree ½: half of this product's gradient.
  return mul(add(value, stopGradient(value)), 0.5);
}

/** Mean [d] and covariance [d, d] of features. */
export interface Moments {
  readonly mean: Tensor;
  readonly covariance: Tensor;
}

const meanGap = (mu: Tensor, reference: ReferenceMoments): Tensor => sum(square(sub(mu, reference.mean)));

/** Rows of features [n, d] less their mean, over √(n − 1): Cᵀ C is the covariance. */
function centred(features: Tensor): { mean: Tensor; rows: Tensor } {
  const mu = mean(features, { axes: [0] });
  return { mean: mu, rows: div(sub(features, mu), Math.sqrt(features.shape[0] - 1)) };
}

/** Mean and unbiased covariance of features [n, d], n at least 2. */
export function momentsOf(features: Tensor): Moments {
  const { mean: mu, rows } = centred(features);
  return { mean: mu, covariance: matmul(rows, rows, { transA: true }) };
}

/**
 * |μ − μ_ref|² + tr S + tr S_ref − 2 tr (S_ref^½ S S_ref^½)^½ of features [n, d] with their unbiased covariance S. The last trace is
 * the nuclear norm of C S_ref^½, C the centred rows: with fewer samples than features it is as exact as with more.
 * Heusel et al. 2017, arXiv:1706.08500; as a loss: Jiawei-Yang/FD-loss.
 */
export function frechetOfFeatures(features: Tensor, reference: ReferenceMoments): Tensor {
  const { mean: mu, rows } = centred(features);
  const spread = add(sum(square(rows)), reference.trace);
  return add(meanGap(mu, reference), sub(spread, mul(nuclearNorm(matmul(rows, reference.root)), 2)));
}

/** The same of moments that are known by themselves. */
export function frechetOfMoments({ mean: mu, covariance }: Moments, reference: ReferenceMoments): Tensor {
  const { root, trace } = reference;
  const [d] = mu.shape;
  const spread = add(sum(mul(covariance, identity(d))), trace);
  const product = matmul(matmul(root, covariance), root);
  return add(meanGap(mu, reference), sub(spread, mul(tracedRoot(product), 2)));
}

/** Moments as what others are held to; they give no gradient. */
export function heldTo({ mean: mu, covariance }: Moments): ReferenceMoments {
  const trace = stopGradient(sum(mul(covariance, identity(mu.shape[0]))));
  return { mean: stopGradient(mu), root: rootOf(covariance), trace };
}

/** A ring of the latest features [size, d], after the next ones [B, d] have replaced those from row `place` on; B at most size. */
export function enqueued(queue: Tensor, place: number, features: Tensor): Tensor {
  const [size] = queue.shape;
  const [B] = features.shape;
  const rows = (x: Tensor, start: number, end: number) => (end > start ? [slice(x, { axis: 0, start, end })] : []);
  const over = Math.max(0, place + B - size);
  const parts =
    over > 0
      ? [...rows(features, B - over, B), ...rows(queue, over, place), ...rows(features, 0, B - over)]
      : [...rows(queue, 0, place), features, ...rows(queue, place + B, size)];
  return parts.length === 1 ? parts[0] : concat(parts, 0);
}

/** Running first and second moments, E[x] [d] and E[x xᵀ] [d, d]. */
export interface RawMoments {
  readonly mean: Tensor;
  readonly second: Tensor;
}

/** Running moments after a batch of features [B, d]: each keeps β of itself. */
export function nextMoments(kept: RawMoments, features: Tensor, beta: number): RawMoments {
  const mix = (old: Tensor, now: Tensor) => add(mul(old, beta), mul(now, 1 - beta));
  const second = div(matmul(features, features, { transA: true }), features.shape[0]);
  return { mean: mix(kept.mean, mean(features, { axes: [0] })), second: mix(kept.second, second) };
}

/**
 * Running mean and covariance after a batch of features [B, d], by the shares that both have in them: what `nextMoments` and
 * `momentsFrom` give, without a difference of large numbers.
 *   μ′ = μ + b(μ_B − μ),   S′ = (1 − b) S + b S_B + b(1 − b)(μ_B − μ)(μ_B − μ)ᵀ
 * @param b the batch's share, [1]
 */
export function mixedMoments(kept: Moments, features: Tensor, b: Tensor): Moments {
  const [B, d] = features.shape;
  const mu = mean(features, { axes: [0] });
  const rows = sub(features, mu);
  const own = div(matmul(rows, rows, { transA: true }), B);
  const gap = sub(mu, kept.mean);
  const rest = sub(1, b);
  const between = mul(matmul(reshape(gap, [d, 1]), reshape(gap, [1, d])), mul(b, rest));
  return {
    mean: add(kept.mean, mul(gap, b)),
    covariance: add(add(mul(kept.covariance, rest), mul(own, b)), between),
  };
}

/** Mean and covariance of raw moments: S = E[x xᵀ] − μ μᵀ, without n/(n − 1). */
export function momentsFrom({ mean: mu, second }: RawMoments): Moments {
  const [d] = mu.shape;
  return { mean: mu, covariance: sub(second, mul(reshape(mu, [d, 1]), mu)) };
}
