import type { Average } from "../../core/interfaces/mod.ts";
import { warmUpBeta } from "../../core/optim/mod.ts";
import { boolean, definePlugin, number, text } from "../../core/plugin/mod.ts";

/**
 * Exponential moving average of a role's weights with a constant share.
 *   average ← β·average + (1 − β)·weights;   with warm-up β is at most 1 − 1/(1 + t), t the updates so far
 * A β of 0.999 remembers about 1000 updates, whatever the batch. With the warm-up the first updates are a plain mean, so the
 * untrained weights are soon forgotten. Unbiased, the share at update t = 1, 2, … is 1 − (1 − β)/(1 − βᵗ) (TRACT, arXiv:2303.04248).
 */
export const emaConstant = definePlugin({
  name: "ema-constant",
  kind: "average",
  about: "Exponential moving average of a role's weights with a constant share, for sampling",
  options: {
    role: text({
      default: "generator",
      about: "whose weights it averages",
    }),
    beta: number({ default: 0.999, min: 0, max: 1, about: "share of the old average kept" }),
    warmUp: boolean({ default: false, about: "whether early updates count more, as in a mean" }),
    unbiased: boolean({
      default: false,
      about: "whether the weights before the first update count for nothing, so that it is copied",
    }),
  },
  create: ({ role, beta, warmUp, unbiased }): Average => {
    const own = (update: number) => (unbiased && beta < 1 ? 1 - (1 - beta) / (1 - beta ** (update + 1)) : beta);
    return { role, keep: (update) => (warmUp ? warmUpBeta(update, { max: own(update) }) : own(update)) };
  },
});
