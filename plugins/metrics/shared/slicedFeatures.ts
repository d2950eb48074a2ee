import type { Pace } from "../../../core/interfaces/mod.ts";
import { hostRandom } from "../../../core/random/mod.ts";
import { directionOf } from "./directions.ts";
import { meanOf } from "./intervals.ts";
import type { FeatureRows } from "./kernelDistance.ts";
import { quantileDistance } from "./quantileDistance.ts";

/** Stream of the directions. */
const DIRECTIONS = 104;
/** Directions between two calls of the pace. */
const TOGETHER = 16;

/** Of every direction the projections of all rows. */
export type Projections = readonly Float64Array[];

/** At most `count` rows, from the first on. */
export const firstRows = ({ data, D }: FeatureRows, count: number): FeatureRows => ({
  data: Float64Array.from({ length: Math.min(data.length, count * D) }, (_, i) => data[i]),
  D,
});

/** Features on `directions` directions that follow from the seed and the width. */
export async function projections(
  { data, D }: FeatureRows,
  { directions, seed = 0, pace }: { readonly directions: number; readonly seed?: number; readonly pace?: Pace },
): Promise<Projections> {
  const count = data.length / D;
  const all: Float64Array[] = [];
  for (let k = 0; k < directions; k++) {
    if (k % TOGETHER === 0) await pace?.("features projected", k, directions);
    const axis = directionOf(D, hostRandom(seed, k, DIRECTIONS));
    const projected = new Float64Array(count);
    for (let n = 0, i = 0; n < count; n++) {
      let sum = 0;
      for (let j = 0; j < D; j++, i++) sum += data[i] * axis[j];
      projected[n] = sum;
    }
    all.push(projected);
  }
  return all;
}

/** The projections of every direction in rising order. */
export const sorted = (projected: Projections): Projections => projected.map((each) => each.slice().sort());

/** The squared sliced Wasserstein-2 distance of two sets from their sorted projections: the mean over directions. */
export const slicedDistance = (a: Projections, b: Projections): number =>
  meanOf(a.map((projected, k) => quantileDistance(projected, b[k], 2)));
