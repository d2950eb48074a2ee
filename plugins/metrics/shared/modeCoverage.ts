import { failure } from "../../../core/errors.ts";

/** How a set of points covers the modes of an equally weighted mixture. In brackets: what a perfect sampler gives. */
export interface ModeCoverage {
  /** Share of points within 2 standard deviations of the nearest mode [0.865]. */
  readonly in2: number;
  /** Share of points within 3 standard deviations of the nearest mode [0.989]. */
  readonly in3: number;
  /** Smallest and largest share of a mode times the number of modes, counting points within 3 standard deviations [0.989]. */
  readonly lo: number;
  readonly hi: number;
  /** Width of the modes over the true one, mean over modes; a mode with fewer than 3 points counts as 0 [0.985]. */
  readonly modeStd: number;
}

/**
 * Coverage of a mixture with centres `means` [K, 2] and common standard deviation `std` by `points` [N, 2], row-major.
 * Points that are not finite are near no mode. Throws E_SHAPE for an empty set or one that is not pairs.
 */
export function modeCoverage(
  points: ArrayLike<number>,
  { means, std }: { readonly means: ArrayLike<number>; readonly std: number },
): ModeCoverage {
  const N = points.length / 2;
  const K = means.length / 2;
  if (!Number.isInteger(N) || N === 0 || !Number.isInteger(K) || K === 0)
    throw failure(
      "E_SHAPE",
      `Cannot judge ${points.length} coordinates against ${means.length}: should be points [N, 2] and means [K, 2], neither empty`,
    );
  let within2 = 0;
  const members: number[][] = Array.from({ length: K }, () => []);
  for (let i = 0; i < N; i++) {
    const { mode, distance } = nearestMode(points[2 * i], points[2 * i + 1], means);
    if (distance < 2 * std) within2++;
    if (distance < 3 * std) members[mode].push(i);
  }
  const counts = members.map(({ length }) => length);
  const widths = members.map((indices) => (indices.length > 2 ? width(points, indices) : 0));
  return {
    in2: within2 / N,
    in3: sum(counts) / N,
    lo: (Math.min(...counts) / N) * K,
    hi: (Math.max(...counts) / N) * K,
    modeStd: sum(widths) / K / std,
  };
}

function nearestMode(x: number, y: number, means: ArrayLike<number>) {
  let nearest = { mode: 0, distance: Number.POSITIVE_INFINITY };
  for (let k = 0; k < means.length / 2; k++) {
    const distance = Math.hypot(x - means[2 * k], y - means[2 * k + 1]);
    if (distance < nearest.distance) nearest = { mode: k, distance };
  }
  return nearest;
}

/** Unbiased standard deviation of the points with these indices, mean of the two axes. */
function width(points: ArrayLike<number>, indices: readonly number[]): number {
  const along = (axis: 0 | 1) => {
    const values = indices.map((i) => points[2 * i + axis]);
    const mean = sum(values) / values.length;
    return Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / (values.length - 1));
  };
  return (along(0) + along(1)) / 2;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
