import { type Metric, paceOf } from "../../core/interfaces/mod.ts";
import { definePlugin } from "../../core/plugin/mod.ts";
import { cautionOf, frechetNumbers } from "./shared/frechetNumbers.ts";
import { inceptionMetric, inceptionNeed } from "./shared/inceptionMetric.ts";
import { partsOption } from "./shared/intervals.ts";
import { pictureOptions } from "./shared/pictures.ts";

/**
 * Fréchet distance in spatial features of Inception, which see where things are: the first seven channels of Mixed_6d's first
 * branch. Which layer it is was taken from the names of the official graph, not from its numbers. Nash et al. 2021,
 * arXiv:2103.03841.
 */
export const sfid = definePlugin({
  name: "sfid",
  kind: "metric",
  about: "Fréchet distance in spatial Inception features",
  options: { ...partsOption, ...pictureOptions },
  needs: inceptionNeed,
  create: ({ parts, ...pictures }, container): Metric =>
    inceptionMetric(container, {
      name: "sfid",
      least: 2,
      pictures,
      caution: cautionOf("sfid", 7 * 17 * 17, "take more samples, or kid, which has no such bias"),
      judge: async ({ spatial }, reference) =>
        frechetNumbers("sfid", spatial, await reference.statistics("spatial"), { parts, pace: paceOf(container) }),
    }),
});
