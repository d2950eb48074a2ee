/** How far a device may be from the oracle: at most absolute + relative |y| + ofLargest max|y|. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
  readonly ofLargest: number;
}

/** Named tolerances, each with its reason. */
export const tolerances = {
  /** Kernels that only move bits, or compute integers. */
  exact: { absolute: 0, relative: 0, ofLargest: 0 },
  /** One to three roundings and WGSL's built-ins, each within a few units in the last place. */
  pointwise: { absolute: 1e-6, relative: 2e-6, ofLargest: 0 },
  /** exp, whose error WGSL lets grow with |x|, and divisions by it. */
  exponential: { absolute: 1e-6, relative: 1e-5, ofLargest: 0 },
  /** Sums in f32 of up to some thousand terms of mixed signs: the error follows the terms, not the result. */
  sum: { absolute: 1e-6, relative: 1e-6, ofLargest: 1e-5 },
  /** Examples of ops, of numbers around 1 and at most some dozen terms: the widest of those above together. */
  anyOp: { absolute: 1e-6, relative: 1e-5, ofLargest: 1e-5 },
  /** Kept in f16, 11 bits, once for every value in between: a device may round a last bit the other way, or not at all. */
  half: { absolute: 1e-6, relative: 2 ** -10, ofLargest: 2 ** -10 },
} as const satisfies Record<string, Tolerance>;

/** The element of a result that is furthest from what it should be. */
export interface WorstElement {
  /** In units of what is allowed: more than 1 is a fault. */
  readonly excess: number;
  /** -1 where all are equal. */
  readonly at: number;
  readonly allowed: number;
}

/** Compares two results of the same length. */
export function worstOf(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { absolute, relative, ofLargest }: Tolerance,
): WorstElement {
  let largest = 0;
  for (let i = 0; i < expected.length; i++)
    if (Number.isFinite(expected[i])) largest = Math.max(largest, Math.abs(expected[i]));
  let worst: WorstElement = { excess: 0, at: -1, allowed: 0 };
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i], expected[i]) || actual[i] === expected[i]) continue;
    const allowed = absolute + relative * Math.abs(expected[i]) + ofLargest * largest;
    const excess = Math.abs(actual[i] - expected[i]) / (allowed || Number.MIN_VALUE);
    // NaN on one side only is the worst of all.
    if (!(excess <= worst.excess)) worst = { excess: Number.isNaN(excess) ? Infinity : excess, at: i, allowed };
  }
  return worst;
}

/** @throws naming the worst element, when one is beyond the tolerance. */
export function compare(
  name: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: Tolerance,
): void {
  if (actual.length !== expected.length)
    throw new Error(`${name}: ${actual.length} elements, should be ${expected.length}`);
  const { excess, at, allowed } = worstOf(actual, expected, tolerance);
  if (excess > 1) throw new Error(`${name}[${at}]: ${actual[at]}, should be ${expected[at]} within ${allowed}`);
}
