/** Distributions by their cumulative functions and their inverses, for levels that are drawn between two bounds. */
import { errorFunction } from "../../../core/ops/mod.ts";

/** A distribution of real numbers. */
export interface Distribution {
  /** P(X ≤ x). */
  cumulative(x: number): number;
}

/** N(mean, deviation²). */
export const normalDistribution = (mean: number, deviation: number): Distribution => ({
  cumulative: (x) => 0.5 * (1 + errorFunction((x - mean) / (deviation * Math.SQRT2))),
});

/** Student's t with `degrees` of freedom, above 0, moved and stretched. With few degrees its tails are very heavy. */
export const studentDistribution = (degrees: number, mean: number, deviation: number): Distribution => ({
  cumulative(x) {
    const t = (x - mean) / deviation;
    // The share within ±t: I_y(1/2, ν/2) at y = t²/(ν + t²).
    const within = regularisedBeta((t * t) / (degrees + t * t), 0.5, degrees / 2);
    return 0.5 * (1 + Math.sign(t) * within);
  },
});

/** The x between two bounds where a distribution has reached p; by halving, to the last bit. */
export function quantile({ cumulative }: Distribution, p: number, low: number, high: number): number {
  let [from, to] = [low, high];
  for (;;) {
    const middle = from + (to - from) / 2;
    if (middle <= from || middle >= to) return middle;
    if (cumulative(middle) < p) from = middle;
    else to = middle;
  }
}

/** Quantiles of what of a distribution lies between two bounds, at u = 0, 1/n, …, 1. */
export function truncatedQuantiles(distribution: Distribution, low: number, high: number, intervals: number): number[] {
  const [from, to] = [low, high].map((bound) => distribution.cumulative(bound));
  return Array.from({ length: intervals + 1 }, (_, i) =>
    i === 0 ? low : i === intervals ? high : quantile(distribution, from + (i / intervals) * (to - from), low, high),
  );
}

/** The regularised incomplete beta function I_x(a, b), x in [0, 1], a and b above 0. NIST DLMF 8.17.22, by Lentz's method. */
function regularisedBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast below the mean; the other half is its mirror.
  if (x > (a + 1) / (a + b + 2)) return 1 - regularisedBeta(1 - x, b, a);
  const tiny = 1e-300;
  const bounded = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  let [c, d] = [1, 1 / bounded(1 - ((a + b) * x) / (a + 1))];
  let fraction = d;
  for (let m = 1; m < 500; m++) {
    let step = 1;
    for (const factor of [
      (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)),
      (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1)),
    ]) {
      d = 1 / bounded(1 + factor * d);
      c = bounded(1 + factor / c);
      step = c * d;
      fraction *= step;
    }
    if (Math.abs(step - 1) < 1e-16) break;
  }
  const front = a * Math.log(x) + b * Math.log1p(-x) - logBeta(a, b);
  return (Math.exp(front) * fraction) / a;
}

const logBeta = (a: number, b: number): number => logGamma(a) + logGamma(b) - logGamma(a + b);

/** ln Γ(x), x > 0: Stirling's series (NIST DLMF 5.11.1) above 10, to which smaller x climb by Γ(x) = Γ(x + 1)/x. */
function logGamma(x: number): number {
  if (x < 10) return logGamma(x + 1) - Math.log(x);
  const inverse = 1 / (x * x);
  const series = 1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse / 1188)));
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series / x;
}
