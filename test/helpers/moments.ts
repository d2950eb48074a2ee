/** Mean, variance and normalised fourth moment (3 for a normal distribution, 1.8 for a uniform one). */
export function moments(values: ArrayLike<number>): {
  readonly mean: number;
  readonly variance: number;
  readonly kurtosis: number;
} {
  const list = Array.from(values);
  const average = (of: (value: number) => number) => list.reduce((sum, value) => sum + of(value), 0) / list.length;
  const mean = average((value) => value);
  const variance = average((value) => (value - mean) ** 2);
  return { mean, variance, kurtosis: average((value) => (value - mean) ** 4) / variance ** 2 };
}
