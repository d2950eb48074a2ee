import { failure } from "../../../core/errors.ts";
import { symmetricEigen, symmetricEigenvalues } from "../../../core/linalg/mod.ts";

/** First and second moments of a set of feature vectors. */
export interface FeatureStatistics {
  /** Mean [D]. */
  readonly mean: Float64Array;
  /** Unbiased covariance [D, D]: the sum of squares is divided by count - 1. */
  readonly covariance: Float64Array;
  /** Number of vectors. */
  readonly count: number;
}

/**
 * Moments of `features` [count, D], row-major. Throws E_SHAPE for fewer than two vectors or a length that does not fit.
 * With `sumStartsAtOnes` every covariance is larger by 1/(count - 1): the sum of DMD2's ImageNet evaluation starts at a matrix
 * of ones (its `test_folder_edm.py`), and so do the distances that the paper prints.
 */
export function featureStatistics(
  features: ArrayLike<number>,
  D: number,
  { sumStartsAtOnes = false }: { readonly sumStartsAtOnes?: boolean } = {},
): FeatureStatistics {
  const count = features.length / D;
  if (!(Number.isInteger(D) && D >= 1 && Number.isInteger(count)))
    throw failure(
      "E_SHAPE",
      `Cannot take statistics of ${features.length} values: D is ${D}, should divide them into vectors`,
    );
  if (count < 2)
    throw failure("E_SHAPE", `Cannot take statistics of ${count} feature vectors: a covariance should have at least 2`);
  const mean = new Float64Array(D);
  for (let i = 0; i < features.length; i++) mean[i % D] += features[i];
  for (let j = 0; j < D; j++) mean[j] /= count;
  const covariance = new Float64Array(D * D).fill(sumStartsAtOnes ? 1 : 0);
  const centred = new Float64Array(D);
  for (let n = 0; n < count; n++) {
    for (let j = 0; j < D; j++) centred[j] = features[n * D + j] - mean[j];
    for (let i = 0; i < D; i++) for (let j = 0; j <= i; j++) covariance[i * D + j] += centred[i] * centred[j];
  }
  for (let i = 0; i < D; i++)
    for (let j = 0; j <= i; j++) covariance[j * D + i] = covariance[i * D + j] = covariance[i * D + j] / (count - 1);
  return { mean, covariance, count };
}

/**
 * Fréchet distance of the Gaussians with these moments, Heusel et al. 2017 (arXiv:1706.08500):
 *   d = |μ₁ - μ₂|² + tr Σ₁ + tr Σ₂ - 2 tr (Σ₁ Σ₂)^½
 * The last trace is the sum of the square roots of the eigenvalues of Σ₁^½ Σ₂ Σ₁^½, which is symmetric, so covariances of
 * any rank will do. NaN when a moment is not finite, as for a generator that diverged. Throws E_SHAPE when sizes differ.
 */
export function frechetDistance(a: FeatureStatistics, b: FeatureStatistics): number {
  const D = a.mean.length;
  if (b.mean.length !== D)
    throw failure(
      "E_SHAPE",
      `Cannot compare features: one set has ${D} dimensions and the other ${b.mean.length}, should be equally many`,
    );
  let distance = 0;
  for (let j = 0; j < D; j++) {
    distance += (a.mean[j] - b.mean[j]) ** 2;
    distance += a.covariance[j * D + j] + b.covariance[j * D + j];
  }
  // A variance that overflows or is NaN shows in the sum of the diagonals; the covariances are no larger than these.
  if (!Number.isFinite(distance)) return Number.NaN;
  const root = rootFactor(a.covariance, D);
  for (const value of symmetricEigenvalues(congruence(root, b.covariance, D), root.length / D))
    distance -= 2 * Math.sqrt(Math.max(0, value));
  // Rounding can take the distance of equal sets a hair below zero.
  return Math.max(0, distance);
}

/** R [rank, D] with Rᵀ R = Σ. Directions without variance are left out: they add nothing to the trace but rounding noise. */
function rootFactor(covariance: Float64Array, D: number): Float64Array {
  const { values, vectors } = symmetricEigen(covariance, D);
  const least = D * Number.EPSILON * Math.max(0, values[D - 1]);
  const firstKept = values.findIndex((value) => value > least);
  if (firstKept < 0) return new Float64Array(0);
  for (let i = firstKept; i < D; i++) {
    const length = Math.sqrt(values[i]);
    for (let j = 0; j < D; j++) vectors[i * D + j] *= length;
  }
  return vectors.subarray(firstKept * D);
}

/** R Σ Rᵀ for R [rank, D] and symmetric Σ [D, D] → [rank, rank]. */
function congruence(root: Float64Array, covariance: Float64Array, D: number): Float64Array {
  const rank = root.length / D;
  const product = multiplyByRows(root, covariance, D);
  return multiplyByRows(product, root, D).subarray(0, rank * rank);
}

/** A Bᵀ for A [m, D] and B [n, D] → [m, n]; both are read along their rows. */
function multiplyByRows(a: Float64Array, b: Float64Array, D: number): Float64Array {
  const [m, n] = [a.length / D, b.length / D];
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < D; k++) sum += a[i * D + k] * b[j * D + k];
      out[i * n + j] = sum;
    }
  return out;
}
