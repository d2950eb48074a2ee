import type { Metric } from "../../core/interfaces/mod.ts";
import { boolean, definePlugin, number } from "../../core/plugin/mod.ts";
import { inceptionMetric, inceptionNeed } from "./shared/inceptionMetric.ts";
import { inceptionScores } from "./shared/inceptionScore.ts";
import { beside, partsInterval } from "./shared/intervals.ts";
import { pictureOptions } from "./shared/pictures.ts";

/**
 * Inception Score: how sure Inception is of each sample, and how different the samples are to it; it does not look at the data.
 * Mean over splits with its interval, and their deviation, which papers print behind ±. OpenAI's evaluator leaves the bias of the last layer out. Salimans et al. 2016,
 * arXiv:1606.03498.
 */
export const inceptionScore = definePlugin({
  name: "inception-score",
  kind: "metric",
  about: "Inception Score, mean and deviation over splits",
  options: {
    splits: number({ default: 10, min: 1, max: 1000, integer: true, about: "parts of the set, in order" }),
    bias: boolean({ default: true, about: "with the bias of the last layer; OpenAI's evaluator leaves it out" }),
    ...pictureOptions,
  },
  needs: inceptionNeed,
  create: ({ splits, bias, ...pictures }, container): Metric => ({
    larger: ["is"],
    ...inceptionMetric(container, {
      name: "inception-score",
      least: splits,
      pictures,
      async judge({ logits, logitsWithoutBias }) {
        const { data, D } = bias ? logits : logitsWithoutBias;
        const scores = inceptionScores(data, D, splits);
        const mean = scores.reduce((a, b) => a + b, 0) / splits;
        const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / splits;
        const interval = splits > 1 && { [beside("is")]: partsInterval(scores) };
        return { is: mean, ...interval, "is deviation": Math.sqrt(variance) };
      },
    }),
  }),
});
