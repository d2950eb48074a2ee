import { type Metric, paceOf } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { inceptionMetric, inceptionNeed } from "./shared/inceptionMetric.ts";
import { partsNumbers, partsOf, partsOption, rowsOfPart } from "./shared/intervals.ts";
import { pictureOptions } from "./shared/pictures.ts";
import { firstRows, type Projections, projections, slicedDistance, sorted } from "./shared/slicedFeatures.ts";

/**
 * Monge Inception Distance: the sliced Wasserstein-2 distance, squared, of Inception's pooled features of samples and reference.
 *   mean over directions θ of ∫ (quantile of a·θ − quantile of b·θ)²,   θ evenly spread over the sphere, always the same ones
 * It needs no covariance, and tells as much of 5,000 samples as FID of 50,000. The first `samples` of each set are compared, or all
 * of a smaller one. Sets of one distribution are some 1/samples of their variance apart: compare equal numbers only. Berthet et al. 2026, arXiv:2605.06797, from its abstract and its definition in words: whether the
 * official one is scaled, and how many directions it takes, was not checked against public code.
 */
export const mind = definePlugin({
  name: "mind",
  kind: "metric",
  about: "Monge Inception Distance: sliced Wasserstein distance of Inception features; few samples are enough",
  options: {
    samples: number({ default: 5000, min: 2, max: 1e6, integer: true, about: "of each set, at most: its first ones" }),
    directions: number({ default: 1000, min: 2, max: 100_000, integer: true, about: "directions of projection" }),
    seed: number({ default: 0, min: 0, integer: true, about: "of the directions" }),
    ...partsOption,
    ...pictureOptions,
  },
  needs: inceptionNeed,
  create({ samples, directions, seed, parts, ...pictures }, container): Metric {
    let known: Promise<Projections> | undefined;
    return inceptionMetric(container, {
      name: "mind",
      least: 2,
      pictures,
      async judge({ pool3 }, reference) {
        const pace = paceOf(container);
        const project = (rows: typeof pool3) => projections(firstRows(rows, samples), { directions, seed, pace });
        known ??= reference.rows("pool3").then(project).then(sorted);
        const [seen, real] = [await project(pool3), await known];
        const used = partsOf(seen[0].length, parts);
        const ofPart = (part: number) =>
          seen.map((data) => rowsOfPart({ data, D: 1 }, part, used).data as Float64Array<ArrayBuffer>);
        const distances = Array.from({ length: used }, (_, part) => slicedDistance(sorted(ofPart(part)), real));
        return partsNumbers("mind", slicedDistance(sorted(seen), real), distances);
      },
    });
  },
});
