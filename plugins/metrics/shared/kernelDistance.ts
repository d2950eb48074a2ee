/**
 * Kernel inception distance of two sets of features: the unbiased estimate of the squared maximum mean discrepancy with the
 * kernel k(x, y) = (x·y/D + 1)³, averaged over pairs of subsets (Bińkowski et al. 2018, arXiv:1801.01401). Near 0, and at times
 * below, for sets of one distribution.
 *   per pair of subsets of m:  (Σᵢ≠ⱼ k(xᵢ, xⱼ) + Σᵢ≠ⱼ k(yᵢ, yⱼ)) / (m(m - 1)) - 2 Σᵢⱼ k(xᵢ, yⱼ) / m²
 */

/** Rows of features [count, D], row-major. */
export interface FeatureRows {
  readonly data: ArrayLike<number>;
  readonly D: number;
}

/** The indices of a pair of subsets of equal size. */
export interface SubsetPair {
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

/** The distance on each pair of subsets; their mean is the distance, their spread tells how sure it is. */
export function kernelDistances(x: FeatureRows, y: FeatureRows, pairs: readonly SubsetPair[]): number[] {
  return pairs.map((pair) => {
    const m = pair.x.length;
    const [a, b] = [rowsOf(x, pair.x), rowsOf(y, pair.y)];
    const { D } = x;
    let within = 0;
    for (const rows of [a, b])
      for (let i = 0; i < m; i++) for (let j = 0; j < i; j++) within += 2 * kernel(rows, i, rows, j, D);
    let between = 0;
    for (let i = 0; i < m; i++) for (let j = 0; j < m; j++) between += kernel(a, i, b, j, D);
    return within / (m * (m - 1)) - (2 * between) / (m * m);
  });
}

/** Pairs of subsets without repetition, as clean-FID's defaults: 100 of min(counts, 1000) each. */
export function drawSubsets(
  counts: { readonly x: number; readonly y: number },
  random: () => number,
  { subsets = 100, size = 1000 }: { readonly subsets?: number; readonly size?: number } = {},
): SubsetPair[] {
  const m = Math.min(counts.x, counts.y, size);
  return Array.from({ length: subsets }, () => ({ y: subset(counts.y, m, random), x: subset(counts.x, m, random) }));
}

/** `m` different numbers below `count`: the beginning of Fisher and Yates's shuffle. */
function subset(count: number, m: number, random: () => number): Int32Array {
  const all = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = 0; i < m; i++) {
    const j = i + Math.floor(random() * (count - i));
    [all[i], all[j]] = [all[j], all[i]];
  }
  return all.slice(0, m);
}

/** The rows of some indices, in float64. */
function rowsOf({ data, D }: FeatureRows, indices: ArrayLike<number>): Float64Array {
  const rows = new Float64Array(indices.length * D);
  for (let i = 0; i < indices.length; i++) for (let j = 0; j < D; j++) rows[i * D + j] = data[indices[i] * D + j];
  return rows;
}

function kernel(a: Float64Array, i: number, b: Float64Array, j: number, D: number): number {
  let product = 0;
  for (let k = 0; k < D; k++) product += a[i * D + k] * b[j * D + k];
  return (product / D + 1) ** 3;
}
