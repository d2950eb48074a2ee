/**
 * How sure a number is: half the width of its 95 % interval, which stands beside `NAME` as `NAME ±`. It tells of the samples that
 * were drawn, not of the reference, nor of how far an estimator is off on average.
 */
import { number } from "../../../core/plugin/mod.ts";
import { hostRandom } from "../../../core/random/mod.ts";
import type { FeatureRows } from "./kernelDistance.ts";

/** Numbers drawn at most, so that means of many values do not take long. */
const MOST_DRAWS = 1e7;
/** Stream of the draws, apart from those of data and samples. */
const RESAMPLING = 103;

export const meanOf = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
};

/** The mean of what every sample adds, as `name`, and half its interval beside it. */
export const meanNumbers = (name: string, values: ArrayLike<number>): Record<string, number> => ({
  [name]: meanOf(values),
  [beside(name)]: bootstrapInterval(values),
});

/** Name under which half the width of the interval of a number stands. */
export const beside = (name: string): string => `${name} ±`;

/**
 * Of the mean of `values`, by bootstrap: half the way between the 2.5 % and the 97.5 % quantile of the means of sets drawn from
 * them with replacement, 1,000 of them for up to 10,000 values and 200 at least. Always the same draws. 0 for a single value.
 * Efron 1979, doi:10.1214/aos/1176344552.
 */
export function bootstrapInterval(values: ArrayLike<number>): number {
  const count = values.length;
  const sets = Math.max(200, Math.min(1000, Math.floor(MOST_DRAWS / count)));
  const random = hostRandom(0, 0, RESAMPLING);
  const means = Float64Array.from({ length: sets }, () => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += values[Math.floor(random() * count)];
    return sum / count;
  }).sort();
  const quantile = (share: number) => means[Math.round(share * (sets - 1))];
  return (quantile(0.975) - quantile(0.025)) / 2;
}

/** The option of distances whose interval comes from disjoint parts of the samples. */
export const partsOption = {
  parts: number({
    default: 5,
    min: 0,
    max: 100,
    integer: true,
    about: "disjoint parts of the samples, whose distances tell the interval; less than 2 for none",
  }),
};

/** How many parts a set of so many samples is divided into; 0 where there would be less than two of them, or of samples in one. */
export function partsOf(count: number, wanted: number): number {
  const parts = Math.min(wanted, Math.floor(count / 2));
  return parts < 2 ? 0 : parts;
}

/**
 * Part `part` of so many: rows in an order that is always the same for as many, and has nothing to do with that of the classes,
 * which often come in turn or one after the other.
 */
export function rowsOfPart({ data, D }: FeatureRows, part: number, parts: number): FeatureRows {
  const order = shuffled(data.length / D);
  const count = Math.ceil((order.length - part) / parts);
  const rows = new Float64Array(count * D);
  for (let i = 0, at = 0; i < count; i++) {
    const from = order[part + i * parts] * D;
    for (let j = 0; j < D; j++) rows[at++] = data[from + j];
  }
  return { data: rows, D };
}

let newest = new Uint32Array(0);

/** The numbers below `count` in the order of Fisher and Yates, with draws of their own. */
function shuffled(count: number): Uint32Array {
  if (newest.length === count) return newest;
  newest = Uint32Array.from({ length: count }, (_, i) => i);
  const random = hostRandom(0, 1, RESAMPLING);
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    [newest[i], newest[other]] = [newest[other], newest[i]];
  }
  return newest;
}

/** A distance, as `name`, and half its interval from those of the parts beside it, where there are some. */
export const partsNumbers = (name: string, whole: number, parts: readonly number[]): Record<string, number> => ({
  [name]: whole,
  ...(parts.length > 1 && { [beside(name)]: partsInterval(parts) }),
});

/** 97.5 % quantiles of Student's t of 1 to 9 degrees of freedom. */
const STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

/**
 * From what disjoint parts of the samples give, two at least: t · s/√n, s their deviation. Their mean need not be the number of the
 * whole set, as Fréchet distances of fewer samples are larger; their spread is taken to fall with the root of the samples.
 */
export function partsInterval(parts: readonly number[]): number {
  const count = parts.length;
  const mean = meanOf(parts);
  const variance = parts.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (count - 1);
  // From ten degrees of freedom on within 1 % of 1.96 + 2.5/n.
  const quantile = STUDENT[count - 2] ?? 1.96 + 2.5 / (count - 1);
  return quantile * Math.sqrt(variance / count);
}
