import { failure } from "../../core/errors.ts";
import { DATASET, type Metric } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { hostRandom } from "../../core/random/mod.ts";
import { joined } from "../../core/tensor/mod.ts";
import { modeCoverage } from "./shared/modeCoverage.ts";
import { distanceFrom } from "./shared/slicedWasserstein.ts";

/**
 * How well points cover the Gaussians they should come from, with what a perfect sampler gets in brackets.
 *   in2, in3: share within 2 [0.865] and 3 [0.989] standard deviations of the nearest mode
 *   lo, hi: smallest and largest share of a mode, times the number of modes, among points in3 [0.989]
 *   modeStd: width of the modes over the true one, of points in3 [0.985]
 *   sw: sliced Wasserstein-1 distance in `directions` directions to as many real points, always the same ones;
 *   [0.010 at 10,000 points of the default ring]
 * in2 is the sharper share: points anywhere on the circle of the default modes have an in2 of 0.61, and still an in3 of 0.92.
 */
export const gaussianModes = definePlugin({
  name: "gaussian-modes",
  kind: "metric",
  about: "Mode coverage and sliced Wasserstein distance of points from a mixture of Gaussians",
  options: {
    directions: number({
      default: 128,
      min: 1,
      integer: true,
      about: "directions of the sliced Wasserstein distance, evenly spaced",
    }),
    seed: number({ default: 0, min: 0, integer: true, about: "of the real points compared with" }),
  },
  create({ directions, seed }, container): Metric {
    const dataset = container.get(DATASET);
    const { mixture } = dataset;
    if (!mixture)
      throw failure(
        "E_CONFIG",
        `Cannot judge ${dataset.name} with gaussian-modes: it is no mixture of Gaussians, should be`,
        { fix: "leave the metric out with --set metrics.gaussian-modes=off" },
      );
    /** The distance from so many real points, the last number asked for: the sets of a run are equally large. */
    let known: { readonly count: number; readonly distance: ReturnType<typeof distanceFrom> } | undefined;
    const distanceFromReal = async (count: number) => {
      if (known?.count !== count) {
        const real = await dataset.batch(count, hostRandom(seed, 0, REFERENCE_STREAM));
        known = { count, distance: distanceFrom(real.x, directions) };
      }
      return known.distance;
    };
    return {
      name: "gaussian-modes",
      // Its coordinates, twice, and those of a real point; the projections of the real one.
      bytesPerSample: 3 * 8 + 8 * directions,
      larger: ["in2", "in3", "lo"],
      begin() {
        const taken: Float32Array[] = [];
        return {
          take: ({ x }) => void taken.push(x),
          async result() {
            const x = joined(taken);
            const distance = await distanceFromReal(x.length / 2);
            return { ...modeCoverage(x, mixture), sw: distance(x) };
          },
        };
      },
    };
  },
});

/** Apart from the streams that training batches come from. */
const REFERENCE_STREAM = 100;
