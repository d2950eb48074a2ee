import type { Pace } from "../../../core/interfaces/mod.ts";
import { type FeatureStatistics, featureStatistics, frechetDistance } from "./frechet.ts";
import { partsNumbers, partsOf, rowsOfPart } from "./intervals.ts";
import type { FeatureRows } from "./kernelDistance.ts";

/** The Fréchet distance of features from the data's moments, as `name`, and half its interval beside it. */
export async function frechetNumbers(
  name: string,
  seen: FeatureRows,
  real: FeatureStatistics,
  { parts, ...how }: { readonly parts: number; readonly sumStartsAtOnes?: boolean; readonly pace?: Pace },
): Promise<Record<string, number>> {
  const distance = async ({ data, D }: FeatureRows) =>
    frechetDistance(await featureStatistics(data, D, how), real, how);
  const used = partsOf(seen.data.length / seen.D, parts);
  const distances: number[] = [];
  for (let part = 0; part < used; part++) distances.push(await distance(rowsOfPart(seen, part, used)));
  return partsNumbers(name, await distance(seen), distances);
}

/**
 * What to know about a Fréchet distance of fewer samples than features: their covariance has no full rank, and the distance is
 * that of the samples, larger than that of what they come from.
 * @param width features
 * @param instead a metric that says more about few samples
 */
export const cautionOf = (name: string, width: number, instead: string) => (count: number) =>
  count < width
    ? `${name} compares covariances of ${width} features, of ${count} samples: with fewer samples than features it is far too large, and only comparable between equal numbers; ${instead}`
    : undefined;
