import { type Average, TRAIN_LENGTH } from "../../core/interfaces/mod.ts";
import { adaptiveBeta, growingIntervals } from "../../core/optim/mod.ts";
import { definePlugin, number, text } from "../../core/plugin/mod.ts";

/**
 * The target of consistency training: it follows the faster the fewer levels there are.
 *   average ← β·average + (1 − β)·weights,   β = exp(first·ln β₀ / intervals at this update)
 * Song et al. 2023, arXiv:2303.01469, appendix C.
 */
export const emaCurriculum = definePlugin({
  name: "ema-curriculum",
  kind: "average",
  about: "Average of a role's weights that slows down as levels grow in number, as in consistency training",
  options: {
    role: text({ default: "generator", about: "whose weights it averages" }),
    beta: number({ default: 0.95, above: 0, max: 1, about: "share of the old average kept at the first intervals" }),
    first: number({
      default: 2,
      min: 1,
      integer: true,
      about: "intervals between levels at the start, as the loss has",
    }),
    last: number({ default: 200, min: 1, integer: true, about: "intervals at the end, as the loss has" }),
  },
  create: ({ role, beta, first, last }, container): Average => {
    const updates = Math.max(container.get(TRAIN_LENGTH).steps, 1);
    return { role, keep: (update) => adaptiveBeta(beta, first, growingIntervals(update, { first, last, updates })) };
  },
});
