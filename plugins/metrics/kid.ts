import type { Metric } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { hostRandom } from "../../core/random/mod.ts";
import { inceptionMetric, inceptionNeed } from "./shared/inceptionMetric.ts";
import { meanNumbers } from "./shared/intervals.ts";
import { drawSubsets, kernelDistances } from "./shared/kernelDistance.ts";
import { pictureOptions } from "./shared/pictures.ts";

/**
 * Kernel Inception Distance: squared maximum mean discrepancy of pooled features, without bias, so sets of different size may be
 * compared. Its interval is that of the mean over the subsets, by bootstrap. Bińkowski et al. 2018, arXiv:1801.01401.
 */
export const kid = definePlugin({
  name: "kid",
  kind: "metric",
  about: "Kernel Inception Distance to the data's held-out samples, with its interval",
  options: {
    subsets: number({ default: 100, min: 2, max: 10_000, integer: true, about: "pairs of subsets" }),
    subsetSize: number({ default: 1000, min: 2, max: 100_000, integer: true, about: "samples of a subset, at most" }),
    seed: number({ default: 0, min: 0, integer: true, about: "of the subsets" }),
    ...pictureOptions,
  },
  needs: inceptionNeed,
  create: ({ subsets, subsetSize, seed, ...pictures }, container): Metric =>
    inceptionMetric(container, {
      name: "kid",
      least: 2,
      pictures,
      async judge(seen, reference) {
        const [x, y] = [seen.pool3, await reference.rows("pool3")];
        const counts = { x: x.data.length / x.D, y: y.data.length / y.D };
        const pairs = drawSubsets(counts, hostRandom(seed, 0, 0), { subsets, size: subsetSize });
        return meanNumbers("kid", kernelDistances(x, y, pairs));
      },
    }),
});
