import { mergeConfig } from "../../core/plugin/mod.ts";
import type { Recipe } from "../../core/train/mod.ts";
import { dmd2 } from "./dmd2.ts";

const game = { features: "teacher", noise: "shared" } as const;

/**
 * DMD2 as NVIDIA's FastGen trains it: turns in steps of their own, four of the critic before one of the generator; a
 * discriminator on features of the frozen teacher, in the noise of the main loss and clipped apart; an unweighted x0 loss of
 * the fake score; real samples as inputs of every step of a generator of several. Rates are those of its CIFAR-10 run.
 */
export const fastgenDmd2: Recipe = mergeConfig(dmd2, {
  method: { ttur: { critic: 4, generator: 1, exclusive: true }, first: "critic", criticImages: "fresh" },
  generator: { inputs: "real-always", drawStep: "sample" },
  losses: {
    "distribution-matching": { minStep: 0.002, maxStep: 0.998, epsilon: 1e-6 },
    "fake-score": { target: "x0" },
    "gan-generator": { ...game, weight: 1e-3 },
    "gan-discriminator": { ...game, weight: 1 },
  },
  optimizers: {
    generator: { lr: 1e-4, warmup: 0 },
    critic: { lr: 1e-4, warmup: 0, clipApart: ["cls_pred_branch."] },
  },
  averages: { generator: { use: "ema-constant", beta: 0.9999, warmUp: false } },
}) as Recipe;
