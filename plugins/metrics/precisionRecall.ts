import type { Metric } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { inceptionMetric, inceptionNeed } from "./shared/inceptionMetric.ts";
import { meanNumbers } from "./shared/intervals.ts";
import { neighbourShares } from "./shared/neighbours.ts";
import { pictureOptions } from "./shared/pictures.ts";

/**
 * Precision and recall, density and coverage of samples among the data's held-out ones, by their nearest neighbours in the pooled
 * features of Inception, with the balls of the reference held fixed in their intervals. Kynkäänniemi et al. 2019, arXiv:1904.06991; Naeem et al. 2020, arXiv:2002.09797.
 */
export const precisionRecall = definePlugin({
  name: "precision-recall",
  kind: "metric",
  about: "Precision, recall, density and coverage by nearest neighbours in Inception features",
  options: {
    neighbours: number({ default: 3, min: 1, max: 100, integer: true, about: "a ball reaches to this neighbour" }),
    ...pictureOptions,
  },
  needs: inceptionNeed,
  create: ({ neighbours: k, ...pictures }, container): Metric => ({
    larger: ["precision", "recall", "density", "coverage"],
    ...inceptionMetric(container, {
      name: "precision-recall",
      least: k + 1,
      pictures,
      async judge({ pool3 }, reference) {
        const shares = neighbourShares(await reference.rows("pool3"), pool3, k);
        const numbers = ["precision", "recall", "density", "coverage"] as const;
        return Object.assign({}, ...numbers.map((name) => meanNumbers(name, shares[name])));
      },
    }),
  }),
});
