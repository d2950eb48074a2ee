import type { Optimizer } from "../../core/interfaces/mod.ts";
import { type AdamScalars, adam, adamScalars, constantRate, cosineRate, linearRate } from "../../core/optim/mod.ts";
import { boolean, choice, definePlugin, list, number, text } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";

/**
 * AdamW, or Adam with L2 when weight decay is not decoupled, with warm-up and decay of the rate.
 *   α = lr · min(1, step/warmup) · decay;   m ← β₁ m + (1 − β₁) g;   v ← β₂ v + (1 − β₂) g²
 *   p ← p (1 − α λ) − α/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + eps)
 * All parameters of a role as flat tensors, biases and gains included in the weight decay as in the official DMD2 code.
 * `step` counts the schedule's steps, t the role's own updates. Loshchilov & Hutter 2017, arXiv:1711.05101.
 */
export const adamw = definePlugin({
  name: "adamw",
  kind: "optimizer",
  about: "AdamW with warm-up, optional decay and clipping of a role's gradient",
  options: {
    role: text({
      default: "generator",
      about: "whose parameters it updates",
    }),
    lr: number({ default: 2e-6, min: 0, about: "learning rate after warm-up" }),
    beta1: number({ default: 0.9, min: 0, max: 0.9999999, about: "decay of the mean gradient" }),
    beta2: number({
      default: 0.999,
      min: 0,
      max: 0.9999999,
      about: "decay of the mean squared gradient",
    }),
    eps: number({ default: 1e-8, min: 0, about: "added to the root of the second moment" }),
    weightDecay: number({ default: 0.01, min: 0, about: "pull of the weights towards 0" }),
    decoupled: boolean({
      default: true,
      about: "whether weight decay acts on the weights (AdamW) instead of the gradient (Adam)",
    }),
    warmup: number({
      default: 0,
      min: 0,
      integer: true,
      about: "steps of the schedule over which the rate rises from 0",
    }),
    decay: choice(["none", "cosine", "linear"], {
      default: "none",
      about: "course of the rate after warm-up; cosine and linear end at 0 with the stage",
    }),
    clip: number({
      default: 10,
      min: 0,
      about: "largest L2 norm of the role's whole gradient; 0 never clips",
    }),
    clipApart: list(text(), {
      default: [],
      about: "beginnings of parameter names that are clipped on their own, such as cls_pred_branch",
    }),
  },
  create({ role, lr, warmup, decay, clip, clipApart, ...options }): Optimizer {
    const rateAt = (steps: number) => {
      if (decay === "none") return constantRate(warmup);
      return decay === "cosine" ? cosineRate(steps, warmup) : linearRate(steps, warmup);
    };
    return {
      role,
      clip: clip > 0 ? clip : Infinity,
      clipApart,
      moments: ["moment1", "moment2"],
      scalars: ({ update, step, steps, factor = 1 }) => adamScalars(update, lr * rateAt(steps)(step) * factor, options),
      update(weights, gradient, { moment1, moment2 }, numbers) {
        const scalars = numbers as AdamScalars<Tensor>;
        const { weights: next, ...moments } = adam({ weights, gradient, moment1, moment2, scalars }, options);
        return { weights: next, moments };
      },
    };
  },
});
