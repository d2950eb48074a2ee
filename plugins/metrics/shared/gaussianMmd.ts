import type { Pace } from "../../../core/interfaces/mod.ts";
import type { FeatureRows } from "./kernelDistance.ts";

/** Rows between two calls of the pace. */
const TOGETHER = 64;

/**
 * Sums over pairs of rows of exp(−‖x − y‖²/(2σ²)) − 1: the 1 leaves the discrepancy as it is, and small distances their digits.
 * Part p of `parts` are the rows p, p + parts, …
 */
export interface KernelSums {
  readonly count: number;
  /** Over all i ≠ j. */
  readonly all: number;
  /** The same within each part, and the rows of each. */
  readonly parts: readonly { readonly count: number; readonly all: number }[];
}

/** A discrepancy is made of what two sets are within themselves and between each other. */
export interface Kernel {
  readonly sigma: number;
  readonly pace?: Pace;
}

/** Rows of unit length, in float64; a row of zeros stays one. */
export function unitRows({ data, D }: FeatureRows): { readonly data: Float64Array; readonly D: number } {
  const out = Float64Array.from(data);
  for (let from = 0; from < out.length; from += D) {
    let squares = 0;
    for (let i = from; i < from + D; i++) squares += out[i] ** 2;
    const length = Math.sqrt(squares);
    if (length > 0) for (let i = from; i < from + D; i++) out[i] /= length;
  }
  return { data: out, D };
}

export async function sumsWithin(rows: FeatureRows, parts: number, { sigma, pace }: Kernel): Promise<KernelSums> {
  const count = rows.data.length / rows.D;
  const [inParts, sizes] = [new Float64Array(parts), new Int32Array(parts)];
  let all = 0;
  for (let i = 0; i < count; i++) {
    if (i % TOGETHER === 0) await pace?.("features compared", i, count);
    if (parts > 0) sizes[i % parts]++;
    for (let j = 0; j < i; j++) {
      const value = 2 * kernel(rows, i, rows, j, sigma);
      all += value;
      if (parts > 0 && i % parts === j % parts) inParts[i % parts] += value;
    }
  }
  return { count, all, parts: Array.from(sizes, (count, part) => ({ count, all: inParts[part] })) };
}

/** Of each row of `x` the sum over all rows of `y`. */
export async function sumsBetween(x: FeatureRows, y: FeatureRows, { sigma, pace }: Kernel): Promise<Float64Array> {
  const [counts, others] = [x, y].map(({ data, D }) => data.length / D);
  const sums = new Float64Array(counts);
  for (let i = 0; i < counts; i++) {
    if (i % TOGETHER === 0) await pace?.("features compared", i, counts);
    for (let j = 0; j < others; j++) sums[i] += kernel(x, i, y, j, sigma);
  }
  return sums;
}

/**
 * The squared maximum mean discrepancy (Gretton et al. 2012, jmlr.org/papers/v13/gretton12a) from such sums:
 *   biased: means over all pairs, those of a row with itself included; never below 0
 *   unbiased: without those, so that it is 0 on average for sets of one distribution
 */
export function squaredDiscrepancy(
  x: { readonly count: number; readonly all: number },
  y: { readonly count: number; readonly all: number },
  between: number,
  unbiased: boolean,
): number {
  const own = unbiased ? 1 : 0;
  const within = ({ count, all }: typeof x) => all / (count * (count - own));
  return within(x) + within(y) - (2 * between) / (x.count * y.count);
}

function kernel(a: FeatureRows, i: number, b: FeatureRows, j: number, sigma: number): number {
  const { D } = a;
  let squares = 0;
  for (let d = 0, from = i * D, other = j * D; d < D; d++) squares += (a.data[from + d] - b.data[other + d]) ** 2;
  return Math.expm1(-squares / (2 * sigma * sigma));
}
