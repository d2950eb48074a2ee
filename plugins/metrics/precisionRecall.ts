import type { Metric } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { bytesOption, inceptionMetric, inceptionNeed } from "./shared/inceptionMetric.ts";
import { neighbourScores } from "./shared/neighbours.ts";

/**
 * Precision and recall, density and coverage of samples among the data's held-out ones, by their nearest neighbours in the pooled
 * features of Inception. Kynkäänniemi et al. 2019, arXiv:1904.06991; Naeem et al. 2020, arXiv:2002.09797.
 */
export const precisionRecall = definePlugin({
  name: "precision-recall",
  kind: "metric",
  about: "Precision, recall, density and coverage by nearest neighbours in Inception features",
  options: {
    neighbours: number({ default: 3, min: 1, max: 100, integer: true, about: "a ball reaches to this neighbour" }),
    ...bytesOption,
  },
  needs: inceptionNeed,
  create: ({ neighbours: k, bytes }, container): Metric =>
    inceptionMetric(container, {
      name: "precision-recall",
      least: k + 1,
      bytes,
      judge: async (seen, reference) => ({
        ...neighbourScores(await reference.rows("pool3"), seen.pool3, k),
      }),
    }),
});
