import type { Recipe } from "../../core/train/mod.ts";

/** MeanFlow in the settings of NVlabs/FastGen for CIFAR-10: the cycle of a consistency model, from data, without an average as target. */
export const meanFlow: Recipe = {
  method: { use: "consistency" },
  teacher: { use: "edm" },
  generator: { use: "mean-flow" },
  sampler: { use: "heun", steps: 18 },
  losses: { "edm-denoising": {}, "mean-flow": {} },
  optimizers: {
    teacher: { use: "adamw", lr: 1e-3, weightDecay: 0, clip: 0 },
    generator: { use: "adamw", lr: 6e-4, weightDecay: 0, clip: 0 },
  },
  averages: {
    teacher: { use: "ema", halfLife: 500_000, rampUp: 0.05 },
    generator: { use: "ema-constant", beta: 0.9999, warmUp: true },
  },
};
