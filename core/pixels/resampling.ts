/** 0.54 and 0.46 as float32, as Pillow has them. */
const HAMMING = [0.54, 0.46].map(Math.fround);

/**
 * Filters that Pillow resizes pictures with: the weight of a source pixel whose centre is `x` pixels away, of the coarser of the
 * two grids, and how far the filter reaches.
 */
const filters = {
  box: { reach: 0.5, weight: (x: number) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { reach: 1, weight: (x: number) => Math.max(0, 1 - Math.abs(x)) },
  hamming: {
    reach: 1,
    weight: (x: number) => (Math.abs(x) < 1 ? sinc(x) * (HAMMING[0] + HAMMING[1] * Math.cos(Math.PI * x)) : 0),
  },
  bicubic: { reach: 2, weight: cubic },
  lanczos: { reach: 3, weight: (x: number) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** How a picture is resized. All but `nearest` widen with the step when the picture shrinks, so that nothing aliases. */
export type ResizeFilter = keyof typeof filters | "nearest";

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

/** Keys' cubic convolution with a = -1/2 (1981). */
function cubic(x: number): number {
  const a = -0.5;
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return (((d - 5) * d + 8) * d - 4) * a;
  return 0;
}

/** What the pixels of one axis are made of. */
export interface AxisWeights {
  /** The first source pixel of each. */
  readonly first: Int32Array;
  /** How many source pixels each has. */
  readonly count: Int32Array;
  /** Their weights, which add up to 1: `stride` places each. */
  readonly weights: Float64Array;
  readonly stride: number;
}

/** Weights for resizing an axis from `source` to `target` pixels. */
export function axisWeights(source: number, target: number, filter: keyof typeof filters): AxisWeights {
  const { reach, weight } = filters[filter];
  const step = source / target;
  const widening = Math.max(step, 1);
  const support = reach * widening;
  // A product and not a quotient, as in Pillow: the two differ in the last bit.
  const narrowing = 1 / widening;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(target);
  const count = new Int32Array(target);
  const weights = new Float64Array(target * stride);
  for (let i = 0; i < target; i++) {
    const centre = (i + 0.5) * step;
    const from = Math.max(0, Math.trunc(centre - support + 0.5));
    const to = Math.min(source, Math.trunc(centre + support + 0.5));
    first[i] = from;
    count[i] = to - from;
    const own = weights.subarray(i * stride, i * stride + to - from);
    let sum = 0;
    for (let k = 0; k < own.length; k++) {
      own[k] = weight((from + k - centre + 0.5) * narrowing);
      sum += own[k];
    }
    if (sum !== 0) for (let k = 0; k < own.length; k++) own[k] /= sum;
  }
  return { first, count, weights, stride };
}

/** The source pixel that `nearest` takes for each pixel of an axis. */
export function nearestPixels(source: number, target: number): Int32Array {
  const step = source / target;
  const pixels = new Int32Array(target);
  // Pillow adds the step up, so rounding errors add up too.
  let at = step * 0.5;
  for (let i = 0; i < target; i++) {
    pixels[i] = Math.min(source - 1, Math.trunc(at));
    at += step;
  }
  return pixels;
}
