import { mergeConfig } from "../../core/plugin/mod.ts";
import type { Recipe } from "../../core/train/mod.ts";
import { withTeacher } from "./shared/pretraining.ts";

/** Consistency training with the settings of the official ImageNet-64 run, for Adam in place of its RAdam, and without LPIPS. */
export const consistencyTraining: Recipe = withTeacher({
  method: { use: "consistency" },
  generator: { use: "consistency" },
  losses: { "consistency-training": {} },
  optimizers: {
    generator: { use: "adamw", lr: 1e-4, weightDecay: 0, clip: 0 },
  },
  averages: {
    generator: { use: "ema-constant", beta: 0.9999, warmUp: true },
    "generator/target": { use: "ema-curriculum" },
  },
});

/** Improved consistency training: no average as target, Huber's distance, weights by the gap, levels that double in number. */
export const improvedConsistencyTraining: Recipe = mergeConfig(consistencyTraining, {
  losses: {
    "consistency-training": {
      target: "generator",
      first: 10,
      last: 1280,
      growth: "doubling",
      indices: "log-normal",
      distance: "huber",
      levelWeight: "gap",
    },
  },
  averages: { "generator/target": false },
});
