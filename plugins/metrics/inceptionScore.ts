import type { Metric } from "../../core/interfaces/mod.ts";
import { boolean, definePlugin, number } from "../../core/plugin/mod.ts";
import { bytesOption, inceptionMetric, inceptionNeed } from "./shared/inceptionMetric.ts";
import { inceptionScores } from "./shared/inceptionScore.ts";

/**
 * Inception Score: how sure Inception is of each sample, and how different the samples are to it; it does not look at the data.
 * Mean and deviation over splits. OpenAI's evaluator leaves the bias of the last layer out. Salimans et al. 2016,
 * arXiv:1606.03498.
 */
export const inceptionScore = definePlugin({
  name: "inception-score",
  kind: "metric",
  about: "Inception Score, mean and deviation over splits",
  options: {
    splits: number({ default: 10, min: 1, max: 1000, integer: true, about: "parts of the set, in order" }),
    bias: boolean({ default: true, about: "with the bias of the last layer; OpenAI's evaluator leaves it out" }),
    ...bytesOption,
  },
  needs: inceptionNeed,
  create: ({ splits, bias, bytes }, container): Metric =>
    inceptionMetric(container, {
      name: "inception-score",
      least: splits,
      bytes,
      async judge({ logits, logitsWithoutBias }) {
        const { data, D } = bias ? logits : logitsWithoutBias;
        const scores = inceptionScores(data, D, splits);
        const mean = scores.reduce((a, b) => a + b, 0) / splits;
        const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / splits;
        return { is: mean, "is ±": Math.sqrt(variance) };
      },
    }),
});
