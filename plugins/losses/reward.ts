import { failure } from "../../core/errors.ts";
import type { Loss } from "../../core/interfaces/mod.ts";
import { broadcastTo, constantArray, crossEntropy, mean, neg, slice } from "../../core/ops/mod.ts";
import {
  choice,
  definePlugin,
  extractedOptions,
  extractorNeeded,
  extractorOf,
  number,
  optional,
} from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { extractedFeatures } from "./shared/extracted.ts";

/**
 * A reward: generated samples that a differentiable scorer likes.
 *   raise   L = −mean s_i(x), one number of the scorer's feature
 *   class   L = −mean ln softmax(s(x))_i, i one class, or that which each sample was asked for
 * The scorer is any extractor, also one of a user's file, refused without its weights; maps are averaged over their places.
 * x [B, …] from the generator → scalar. Gradient to the generator only. It knows no bound: alone it moves all samples to the best one,
 * so it stands beside a loss that holds the distribution, with a small weight, and `diversity`.
 */
export const reward = definePlugin({
  name: "reward",
  kind: "loss",
  about: "Moves generated samples to where a differentiable scorer likes them",
  options: {
    weight: number({ default: 0.01, min: 0, about: "factor in the generator's total; 0 is off" }),
    ...extractedOptions,
    objective: choice(["raise", "class"], {
      default: "raise",
      about: "what the feature is: a score to raise, or logits of classes",
    }),
    channel: optional(number({ min: 0, integer: true }), {
      about: "which number of the feature; none is the first score, or the class that each sample was asked for",
    }),
  },
  needs: extractorNeeded,
  create({ weight, objective, channel, ...options }, container): Loss {
    if (options.extractor === "")
      throw failure("E_OPTION", "Cannot configure reward: extractor is not given, it should name the scorer", {
        fix: "set losses.reward.extractor=classifier, or to the extractor of a file that --plugin brings",
      });
    const { extractor, tap } = extractorOf("reward", options, container);
    const width = extractor.widths[tap];
    if (channel !== undefined && channel >= width)
      throw failure(
        "E_OPTION",
        `Cannot configure reward: channel is ${channel}, ${tap} of the extractor ${extractor.name} has ${width} numbers`,
      );
    const { features, ...frozen } = extractedFeatures("reward", options, container);
    return {
      name: "reward",
      role: "generator",
      weight,
      ...frozen,
      compute({ generated: { x, condition }, report }) {
        const f = features(x);
        const scores = f.shape.length > 2 ? mean(f, { axes: f.shape.map((_, axis) => axis).slice(2) }) : f;
        if (objective === "class") return crossEntropy(scores, wanted(channel, condition.label, x.shape[0]));
        const score = mean(slice(scores, { axis: 1, start: channel ?? 0, end: (channel ?? 0) + 1 }));
        report?.("score", score);
        return neg(score);
      },
    };
  },
});

/** The class of each sample, i32 [B]. */
function wanted(channel: number | undefined, label: Tensor | undefined, count: number): Tensor {
  if (channel !== undefined) return broadcastTo(constantArray([channel], [1], "i32"), { shape: [count] });
  if (label) return label;
  throw failure("E_CONFIG", "Cannot use reward: objective is class, and samples are asked for no class", {
    fix: "set losses.reward.channel to the class that is wanted",
  });
}
