import type { Tensor } from "../tensor/tensor.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { logSoftmax } from "./logSoftmax.ts";
import { mean } from "./mean.ts";
import { neg } from "./neg.ts";
import { oneHot } from "./oneHot.ts";
import { sum } from "./sum.ts";
import { where } from "./where.ts";

/** −mean ln softmax(logits)[label]. logits [..., C], labels i32 [...] → scalar. */
export const crossEntropy: Composed<[logits: Tensor, labels: Tensor]> = defineComposed({
  name: "crossEntropy",
  parameters: ["logits: Tensor", "labels: Tensor"],
  build: (logits, labels) => {
    const logProbability = logSoftmax(logits);
    // Chosen, not multiplied: −∞ of a class that is not the label must not turn into NaN.
    const chosen = where(oneHot(labels, logits.shape.at(-1)!), logProbability, 0);
    return neg(mean(sum(chosen, { axes: [-1] })));
  },
});
