import { meanOf } from "./intervals.ts";
import type { FeatureRows } from "./kernelDistance.ts";

/**
 * How well generated samples lie among real ones, judged by balls around each sample that reach to its `k`-th nearest neighbour
 * in its own set.
 *   precision, recall: share of generated samples in a ball of a real one, and of real samples in a ball of a generated one
 *   (Kynkäänniemi et al. 2019, arXiv:1904.06991)
 *   density, coverage: real balls that hold a generated sample, over k, on average; share of real balls that hold one at all
 *   (Naeem et al. 2020, arXiv:2002.09797)
 */
export interface NeighbourScores {
  readonly precision: number;
  readonly recall: number;
  readonly density: number;
  readonly coverage: number;
}

/** What each sample adds to the scores, which are the means: one number per generated or per real sample. */
export interface NeighbourShares {
  /** Per generated sample: 1 in a ball of a real one, else 0; and how many of them it is in, over k. */
  readonly precision: Uint8Array;
  readonly density: Float64Array;
  /** Per real sample: 1 in a ball of a generated one, else 0; and 1 where its own ball holds one. */
  readonly recall: Uint8Array;
  readonly coverage: Uint8Array;
}

/** Scores of `generated` among `real`; distances are Euclidean. Both sets need more than `k` rows. */
export function neighbourScores(real: FeatureRows, generated: FeatureRows, k: number): NeighbourScores {
  const { precision, recall, density, coverage } = neighbourShares(real, generated, k);
  return {
    precision: meanOf(precision),
    recall: meanOf(recall),
    density: meanOf(density),
    coverage: meanOf(coverage),
  };
}

/** What each sample adds to the scores of `generated` among `real`. */
export function neighbourShares(real: FeatureRows, generated: FeatureRows, k: number): NeighbourShares {
  const [reals, fakes] = [real, generated].map(({ data, D }) => data.length / D);
  const around = { real: squaredRadii(real, k), generated: squaredRadii(generated, k) };
  const inReal = new Int32Array(fakes);
  const [coverage, recall] = [new Uint8Array(reals), new Uint8Array(reals)];
  for (let i = 0; i < reals; i++) {
    for (let j = 0; j < fakes; j++) {
      const distance = squaredDistance(real, i, generated, j);
      if (distance <= around.real[i]) {
        inReal[j]++;
        coverage[i] = 1;
      }
      if (distance <= around.generated[j]) recall[i] = 1;
    }
  }
  return {
    precision: Uint8Array.from(inReal, (count) => Number(count > 0)),
    density: Float64Array.from(inReal, (count) => count / k),
    recall,
    coverage,
  };
}

/** Squared distance of each row to its `k`-th nearest in the same set, itself left out. */
export function squaredRadii(rows: FeatureRows, k: number): Float64Array {
  const count = rows.data.length / rows.D;
  const radii = new Float64Array(count);
  const nearest = new Float64Array(k);
  for (let i = 0; i < count; i++) {
    nearest.fill(Number.POSITIVE_INFINITY);
    for (let j = 0; j < count; j++) if (j !== i) insert(nearest, squaredDistance(rows, i, rows, j));
    radii[i] = nearest[k - 1];
  }
  return radii;
}

/** Keeps `smallest`, rising, the smallest of all values put in. */
function insert(smallest: Float64Array, value: number): void {
  let at = smallest.length - 1;
  if (!(value < smallest[at])) return;
  for (; at > 0 && smallest[at - 1] > value; at--) smallest[at] = smallest[at - 1];
  smallest[at] = value;
}

function squaredDistance(a: FeatureRows, i: number, b: FeatureRows, j: number): number {
  const { D } = a;
  let sum = 0;
  for (let d = 0; d < D; d++) {
    const difference = a.data[i * D + d] - b.data[j * D + d];
    sum += difference * difference;
  }
  return sum;
}
