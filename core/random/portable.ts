/**
 * log, sin and cos by + − × ÷ alone, which IEEE 754 rounds the same everywhere: those of `Math` differ between engines by a
 * unit in the last place, in several of a hundred results. For numbers that samples are drawn with.
 */

/** 1/3!, 1/5!, … and 1/4!, 1/6!, … of the Taylor series, alternating signs included. */
const SINE = [-6, 120, -5040, 362880, -39916800, 6227020800, -1307674368000, 355687428096000].map((n) => 1 / n);
const COSINE = [24, -720, 40320, -3628800, 479001600, -87178291200, 20922789888000].map((n) => 1 / n);
/** 2/3, 2/5, … of 2·artanh. */
const ARTANH = Array.from({ length: 10 }, (_, k) => 2 / (2 * k + 3));

/** π/2 in three parts; small multiples of the first two, of 33 bits, are exact. */
const [HALF_PI, HALF_PI_2, HALF_PI_3] = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21];
/** ln 2 in two parts; multiples of the first, of 32 bits, are exact. */
const [LN_2, LN_2_REST] = [0.6931471803691238, 1.9082149292705877e-10];

/** ln x, within 1 unit in the last place; x normal and finite, above 0. */
export function portableLog(x: number): number {
  // x = 2^exponent · m with m in [√½, √2).
  let exponent = 0;
  let m = x;
  for (; m >= 2 ** 16; exponent += 16) m *= 2 ** -16;
  for (; m < 2 ** -16; exponent -= 16) m *= 2 ** 16;
  for (; m >= Math.SQRT2; exponent++) m *= 0.5;
  for (; m < Math.SQRT1_2; exponent--) m *= 2;
  // ln m = 2 artanh s, s = f/(2 + f); written as f − (f²/2 − s (f²/2 + series)), where the large term f is exact.
  const f = m - 1;
  const s = f / (2 + f);
  const half = 0.5 * f * f;
  const small = s * (half + series(ARTANH, s * s)) + exponent * LN_2_REST;
  return exponent * LN_2 - (half - small - f);
}

/** sin x, within 1 unit in the last place; x in [−2¹⁶, 2¹⁶]. */
export const portableSin = (x: number): number => atQuarter(x, 0);

/** cos x, within 1 unit in the last place; x in [−2¹⁶, 2¹⁶]. */
export const portableCos = (x: number): number => atQuarter(x, 1);

/** sin(x + quarters·π/2). */
function atQuarter(x: number, quarters: number): number {
  // x = turns·π/2 + r + rest, |r| ≤ π/4.
  const turns = Math.round(x / (Math.PI / 2));
  const near = x - turns * HALF_PI;
  const far = turns * HALF_PI_2;
  const first = near - far;
  const lost = near - (first + far);
  const tail = lost - turns * HALF_PI_3;
  const r = first + tail;
  const rest = first - r + tail;
  const quadrant = (turns + quarters) & 3;
  const value = quadrant & 1 ? cosNear(r, rest) : sinNear(r, rest);
  return quadrant & 2 ? -value : value;
}

function sinNear(r: number, rest: number): number {
  const square = r * r;
  return r + (r * series(SINE, square) + rest * (1 - 0.5 * square));
}

function cosNear(r: number, rest: number): number {
  const square = r * r;
  const half = 0.5 * square;
  const near = 1 - half;
  return near + (1 - near - half + (square * series(COSINE, square) - r * rest));
}

/** c₀ x + c₁ x² + … */
function series(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (let k = coefficients.length - 1; k >= 0; k--) sum = (sum + coefficients[k]) * x;
  return sum;
}
