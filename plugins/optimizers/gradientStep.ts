import type { Optimizer } from "../../core/interfaces/mod.ts";
import { sgd } from "../../core/optim/mod.ts";
import { definePlugin, number, text } from "../../core/plugin/mod.ts";

/**
 * Plain gradient descent, w ← w − lr·g: neither moments nor clipping nor decay. With rate 1 and the loss ½(1 − m)(w − y)² it
 * is the running mean w ← m·w + (1 − m)·y, so that a role can remember numbers.
 */
export const gradientStep = definePlugin({
  name: "gradient-step",
  kind: "optimizer",
  about: "Plain gradient descent, without moments, clipping or decay",
  options: {
    role: text({ default: "generator", about: "whose parameters it updates" }),
    lr: number({ default: 1, min: 0, about: "learning rate" }),
  },
  create: ({ role, lr }): Optimizer => ({
    role,
    clip: Infinity,
    moments: [],
    scalars: ({ factor = 1 }) => ({ rate: lr * factor }),
    update(weights, gradient, _, { rate }) {
      const next = sgd({ weights, gradient, moment: gradient, scalars: { rate } });
      return { weights: next.weights, moments: {} };
    },
  }),
});
