import type { Metric } from "../../core/interfaces/mod.ts";
import { definePlugin } from "../../core/plugin/mod.ts";
import { featureStatistics, frechetDistance } from "./shared/frechet.ts";
import { bytesOption, inceptionMetric, inceptionNeed } from "./shared/inceptionMetric.ts";

/**
 * Fréchet distance in spatial features of Inception, which see where things are: the first seven channels of Mixed_6d's first
 * branch. Which layer it is was taken from the names of the official graph, not from its numbers. Nash et al. 2021,
 * arXiv:2103.03841.
 */
export const sfid = definePlugin({
  name: "sfid",
  kind: "metric",
  about: "Fréchet distance in spatial Inception features",
  options: { ...bytesOption },
  needs: inceptionNeed,
  create: ({ bytes }, container): Metric =>
    inceptionMetric(container, {
      name: "sfid",
      least: 2,
      bytes,
      async judge({ spatial }, reference) {
        const seen = featureStatistics(spatial.data, spatial.D);
        return { sfid: frechetDistance(seen, await reference.statistics("spatial")) };
      },
    }),
});
