/**
 * Tolerances of tests, each with its reason, and what measures against them.
 */

/**
 * Central differences in float64 with h = 1e-5: truncation is about h² = 1e-10, cancellation 1e-16/h = 1e-11, and
 * constants that were folded to float32 are off by 6e-8.
 */
export const GRADIENT_TOLERANCE = 1e-6;

/** Relative error of a few float32 operations that a device may reorder or fuse. */
export const FLOAT32_TOLERANCE = 1e-5;

/** The largest |a − b| / (scale + |b|); a NaN on one side only counts as infinite. */
export function largestError(a: ArrayLike<number>, b: ArrayLike<number>, scale = 1): number {
  if (a.length !== b.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    if (Object.is(a[i], b[i]) || a[i] === b[i]) continue;
    const error = Math.abs(a[i] - b[i]) / (scale + Math.abs(b[i]));
    worst = Math.max(worst, Number.isNaN(error) ? Infinity : error);
  }
  return worst;
}
