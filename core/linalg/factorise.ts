import { type Dense, type Matrix, matrixAt, partOf, transposed } from "./dense.ts";

/** Told between pieces of long work: `done` of `total`. Rejects to stop it. */
export type Progress = (done: number, total: number) => Promise<void>;

/** Rows of the factor whose effect on the rest is taken away together. */
const BLOCK = 64;

/**
 * Cholesky's factor of a positive semidefinite matrix of any rank: rows f [rank, n] with fᵀ f = `s` [n, n], of which the lower
 * triangle counts. `s` becomes anything; at `f` there is room for n + 1 rows. Returns the rank.
 *
 * Every row takes away the direction of the variable with the largest variance left. One that has nothing left but rounding
 * noise, n · 2⁻⁵² of its own variance, gives no row: of noise of 10⁻¹⁶ a root would make 10⁻⁸.
 * Higham, Accuracy and Stability of Numerical Algorithms, §10.3.
 */
export async function factorise(dense: Dense, s: Matrix, f: number, progress: Progress): Promise<number> {
  const { data } = dense;
  const n = s.rows;
  const left = Float64Array.from({ length: n }, (_, i) => data[s.at + i * (s.rowStep + 1)]);
  const noise = left.map((variance) => Math.max(n, 8) * Number.EPSILON * variance);
  const open = new Set(left.keys());
  /** The open variable with the most left, or -1. */
  const nextPivot = (): number => {
    let pivot = -1;
    for (const i of open) if (left[i] > noise[i] && (pivot < 0 || left[i] > left[pivot])) pivot = i;
    return pivot;
  };
  let pivot = nextPivot();
  let rank = 0;
  while (pivot >= 0) {
    await progress(rank, n);
    const first = rank;
    for (; pivot >= 0 && rank < first + BLOCK; rank++) {
      const row = f + rank * n;
      const block = matrixAt(f + first * n, rank - first, n);
      // What the rows of this block explain of the pivot's covariances; what earlier ones do is no longer in `s`.
      for (let p = 0; p < block.rows; p++) data[row + n + p] = data[block.at + p * n + pivot];
      dense.rowTimes(row + n, block, row);
      const length = Math.sqrt(left[pivot]);
      open.delete(pivot);
      for (let i = 0; i < n; i++) {
        const covariance = data[s.at + (i > pivot ? i * s.rowStep + pivot : pivot * s.rowStep + i)];
        data[row + i] = open.has(i) ? (covariance - data[row + i]) / length : 0;
        left[i] -= data[row + i] ** 2;
      }
      data[row + pivot] = length;
      pivot = nextPivot();
    }
    const block = partOf(matrixAt(f, rank, n), first, 0);
    if (pivot >= 0) dense.multiply(s, transposed(block), block, { subtract: true, lower: true });
  }
  return rank;
}
