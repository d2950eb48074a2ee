import type { Metric } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { hostRandom } from "../../core/random/mod.ts";
import { bytesOption, inceptionMetric, inceptionNeed } from "./shared/inceptionMetric.ts";
import { drawSubsets, kernelDistances } from "./shared/kernelDistance.ts";

/**
 * Kernel Inception Distance: squared maximum mean discrepancy of pooled features, without bias, so sets of different size may be
 * compared. `kid ±` is the standard error over the subsets. Bińkowski et al. 2018, arXiv:1801.01401.
 */
export const kid = definePlugin({
  name: "kid",
  kind: "metric",
  about: "Kernel Inception Distance to the data's held-out samples, with its standard error",
  options: {
    subsets: number({ default: 100, min: 2, max: 10_000, integer: true, about: "pairs of subsets" }),
    subsetSize: number({ default: 1000, min: 2, max: 100_000, integer: true, about: "samples of a subset, at most" }),
    seed: number({ default: 0, min: 0, integer: true, about: "of the subsets" }),
    ...bytesOption,
  },
  needs: inceptionNeed,
  create: ({ subsets, subsetSize: size, seed, bytes }, container): Metric =>
    inceptionMetric(container, {
      name: "kid",
      least: 2,
      bytes,
      async judge(seen, reference) {
        const [x, y] = [seen.pool3, await reference.rows("pool3")];
        const counts = { x: x.data.length / x.D, y: y.data.length / y.D };
        const pairs = drawSubsets(counts, hostRandom(seed, 0, 0), { subsets, size });
        const distances = kernelDistances(x, y, pairs);
        const mean = distances.reduce((a, b) => a + b, 0) / subsets;
        const variance = distances.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (subsets - 1);
        return { kid: mean, "kid ±": Math.sqrt(variance / subsets) };
      },
    }),
});
