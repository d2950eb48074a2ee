import { failure } from "../../../core/errors.ts";
import type { Pace } from "../../../core/interfaces/mod.ts";
import {
  factorise,
  type Matrix,
  matrixAt,
  openDense,
  partOf,
  singularSpace,
  singularValues,
  transposed,
} from "../../../core/linalg/mod.ts";

/** First and second moments of a set of feature vectors. */
export interface FeatureStatistics {
  /** Mean [D]. */
  readonly mean: Float64Array;
  /** Unbiased covariance [D, D]: the sum of squares is divided by count - 1. */
  readonly covariance: Float64Array;
  /** Number of vectors. */
  readonly count: number;
}

/** Rows that are worked on between two calls of the pace: about 50 ms at 2,048 dimensions. */
const PORTION = 256;
const ownPace: Pace = async () => {};

/**
 * Moments of `features` [count, D], row-major. Throws E_SHAPE for fewer than two vectors or a length that does not fit.
 * With `sumStartsAtOnes` every covariance is larger by 1/(count - 1): the sum of DMD2's ImageNet evaluation starts at a matrix
 * of ones (its `test_folder_edm.py`), and so do the distances that the paper prints.
 */
export async function featureStatistics(
  features: ArrayLike<number>,
  D: number,
  { sumStartsAtOnes = false, pace = ownPace }: { readonly sumStartsAtOnes?: boolean; readonly pace?: Pace } = {},
): Promise<FeatureStatistics> {
  const count = features.length / D;
  if (!(Number.isInteger(D) && D >= 1 && Number.isInteger(count)))
    throw failure(
      "E_SHAPE",
      `Cannot take statistics of ${features.length} values: D is ${D}, should divide them into vectors`,
    );
  if (count < 2)
    throw failure("E_SHAPE", `Cannot take statistics of ${count} feature vectors: a covariance should have at least 2`);
  const mean = new Float64Array(D);
  for (let n = 0, i = 0; n < count; n++) for (let j = 0; j < D; j++, i++) mean[j] += features[i];
  for (let j = 0; j < D; j++) mean[j] /= count;

  const rows = Math.min(PORTION, count);
  const dense = await openDense(D * D + rows * D);
  const sum = matrixAt(0, D, D);
  if (sumStartsAtOnes) dense.data.fill(1, 0, D * D);
  for (let first = 0; first < count; first += PORTION) {
    await pace("taking moments of features", first, count);
    const centred = matrixAt(D * D, Math.min(PORTION, count - first), D);
    for (let n = 0, i = first * D, to = centred.at; n < centred.rows; n++)
      for (let j = 0; j < D; j++, i++, to++) dense.data[to] = features[i] - mean[j];
    dense.multiply(sum, transposed(centred), centred, { lower: true });
  }
  const covariance = dense.data.slice(0, D * D);
  for (let i = 0; i < D; i++)
    for (let j = 0; j <= i; j++) covariance[j * D + i] = covariance[i * D + j] = covariance[i * D + j] / (count - 1);
  return { mean, covariance, count };
}

/**
 * Fréchet distance of the Gaussians with these moments, Heusel et al. 2017 (arXiv:1706.08500):
 *   d = |μ₁ - μ₂|² + tr Σ₁ + tr Σ₂ - 2 tr (Σ₁ Σ₂)^½
 * With Σ = Fᵀ F the last trace is the sum of the singular values of F₁ F₂ᵀ, whose squares are the eigenvalues of Σ₁ Σ₂. The
 * factors have as many rows as the covariances' ranks, so any rank will do, and no root is taken of a number that is
 * nothing but rounding. NaN when a moment is not finite, as for a generator that diverged. Throws E_SHAPE when sizes differ.
 */
export async function frechetDistance(
  a: FeatureStatistics,
  b: FeatureStatistics,
  { pace = ownPace }: { readonly pace?: Pace } = {},
): Promise<number> {
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
  const values = await rootedProduct(a.covariance, b.covariance, D, pace);
  // Rounding can take the distance of equal sets a hair below zero.
  return Math.max(0, distance - 2 * values.reduce((sum, value) => sum + value, 0));
}

/** Square roots of the eigenvalues of Σ₁ Σ₂ that are not zero, rising. */
async function rootedProduct(first: Float64Array, second: Float64Array, D: number, pace: Pace): Promise<Float64Array> {
  /** Four pieces of work of about the same length: two factors, their product, its singular values. */
  const piece = (index: number) => (done: number, total: number) =>
    pace("comparing covariances", Math.round(D * (index + done / total)), 4 * D);
  const room = (D + 1) * D;
  const dense = await openDense(3 * room + singularSpace(D, D));
  const matrix = matrixAt(2 * room, D, D);
  const factors: Matrix[] = [];
  for (const [i, covariance] of [first, second].entries()) {
    dense.data.set(covariance, matrix.at);
    factors.push(matrixAt(i * room, await factorise(dense, matrix, i * room, piece(i)), D));
  }
  const [longer, shorter] = factors.sort((a, b) => b.rows - a.rows);
  const product = matrixAt(matrix.at, longer.rows, shorter.rows);
  dense.data.fill(0, product.at, product.at + product.rows * product.columns);
  for (let top = 0; top < product.rows; top += PORTION) {
    await piece(2)(top, product.rows);
    const rows = Math.min(PORTION, product.rows - top);
    dense.multiply(partOf(product, top, 0, { rows }), partOf(longer, top, 0, { rows }), transposed(shorter));
  }
  return singularValues(dense, product, 3 * room, piece(3));
}
