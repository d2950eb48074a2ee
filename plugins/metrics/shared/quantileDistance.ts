/**
 * ∫ |quantile of a − quantile of b|ᵖ of two sets of numbers in rising order, which need not be equally large: the Wasserstein
 * distance for p = 1, and the square of the second one for p = 2.
 */
export function quantileDistance(a: ArrayLike<number>, b: ArrayLike<number>, p: 1 | 2): number {
  let [i, j, at, sum] = [0, 0, 0, 0];
  while (i < a.length && j < b.length) {
    const next = Math.min((i + 1) / a.length, (j + 1) / b.length);
    sum += (next - at) * Math.abs(a[i] - b[j]) ** p;
    at = next;
    // Both where they end together, whatever rounding says.
    const [aEnds, bEnds] = [(i + 1) * b.length, (j + 1) * a.length];
    if (aEnds <= bEnds) i++;
    if (bEnds <= aEnds) j++;
  }
  return sum;
}
