import type { Shape } from "../../tensor/shape.ts";
import { sizeOf } from "../../tensor/shape.ts";

/** Samples on the host with what each was asked to show. */
export interface ProbeSet {
  /** [N, …] */
  readonly shape: Shape;
  readonly x: Float32Array;
  /** The class of each, where there are classes. */
  readonly labels?: ArrayLike<number>;
}

/** What real samples are like, to compare generated ones with. */
export interface DataStatistics {
  readonly mean: number;
  /** Of all elements. */
  readonly deviation: number;
  readonly least: number;
  readonly most: number;
  /** Root mean square of the distance between two samples, per element. */
  readonly distance: number;
  /** The same of two samples of one class; absent where the data do not tell. */
  readonly classDistance?: number;
}

/** Pairs of one class from which a distance within classes can be told. */
const LEAST_PAIRS = 16;
/** How far beyond the data's range an element may lie, as a part of that range. */
const MARGIN = 0.05;

/** The statistics of real samples [N, …]. */
export function dataStatistics(real: ProbeSet): DataStatistics {
  const { mean, deviation } = moments(real.x);
  let [least, most] = [Infinity, -Infinity];
  for (const value of real.x) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  // Data that are all the same have no scale to compare with.
  return {
    mean,
    deviation: deviation || 1,
    least,
    most,
    distance: distance(real) || 1,
    classDistance: classDistance(real),
  };
}

/**
 * What generated samples x [N, …] are like beside the data, in numbers that do not depend on the scale of either:
 *   brightness      (mean x − mean data) / deviation of the data
 *   contrast        deviation of all elements of x, over the data's
 *   distance        √mean ‖x_i − x_j‖² over pairs, over the data's: 0 where all samples are the same
 *   class-distance  the same over pairs of one class
 *   outside         the share of elements that lie beyond the data's range by more than 5 % of it
 *   moved           √mean (x − x')² / deviation of the data, x' the samples of the same noise one reading before
 *   turned          cosine of the angle between this move and the one before: 1 is straight on, -1 there and back
 */
export function sampleStatistics(
  now: ProbeSet,
  data: DataStatistics,
  before?: Float32Array,
  earlier?: Float32Array,
): Record<string, number> {
  const { x } = now;
  const { mean, deviation } = moments(x);
  const values: Record<string, number> = {
    brightness: (mean - data.mean) / data.deviation,
    contrast: deviation / data.deviation,
    distance: distance(now) / data.distance,
    outside: outside(x, data),
  };
  const within = classDistance(now);
  if (within !== undefined && data.classDistance) values["class-distance"] = within / data.classDistance;
  if (before) {
    const last = dot(x, before, x, before);
    values.moved = Math.sqrt(last / x.length) / data.deviation;
    if (earlier) {
      const norms = Math.sqrt(last * dot(before, earlier, before, earlier));
      values.turned = norms > 0 ? dot(x, before, before, earlier) / norms : 1;
    }
  }
  return values;
}

function moments(x: Float32Array): { mean: number; deviation: number } {
  let [sum, squares] = [0, 0];
  for (const value of x) sum += value;
  const mean = sum / x.length;
  for (const value of x) squares += (value - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / x.length) };
}

/** Over all pairs: mean ‖x_i − x_j‖² is twice the sum of the variances, so no pair has to be formed. */
const distance = (set: ProbeSet): number => Math.sqrt(2 * spread(set, rowsOf(set)));

function classDistance(set: ProbeSet): number | undefined {
  const { labels } = set;
  if (!labels) return undefined;
  const classes = new Map<number, number[]>();
  for (const row of rowsOf(set)) classes.set(labels[row], [...(classes.get(labels[row]) ?? []), row]);
  let [pairs, total] = [0, 0];
  for (const rows of classes.values()) {
    const own = (rows.length * (rows.length - 1)) / 2;
    pairs += own;
    if (own > 0) total += own * 2 * spread(set, rows);
  }
  return pairs >= LEAST_PAIRS ? Math.sqrt(total / pairs) : undefined;
}

const rowsOf = ({ shape: [count] }: ProbeSet): number[] => Array.from({ length: count }, (_, row) => row);

/** Mean over the elements of a sample of their unbiased variance over the rows. */
function spread({ shape, x }: ProbeSet, rows: readonly number[]): number {
  const size = sizeOf(shape) / shape[0];
  let total = 0;
  for (let i = 0; i < size; i++) {
    let [sum, squares] = [0, 0];
    for (const row of rows) sum += x[row * size + i];
    const mean = sum / rows.length;
    for (const row of rows) squares += (x[row * size + i] - mean) ** 2;
    total += squares / Math.max(1, rows.length - 1);
  }
  return total / size;
}

function outside(x: Float32Array, { least, most }: DataStatistics): number {
  const margin = MARGIN * (most - least);
  let count = 0;
  for (const value of x) if (value < least - margin || value > most + margin) count++;
  return count / x.length;
}

/** Σ (a − b)(c − d) */
function dot(a: Float32Array, b: Float32Array, c: Float32Array, d: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) * (c[i] - d[i]);
  return sum;
}
