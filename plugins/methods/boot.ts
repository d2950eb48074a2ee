import type { Recipe } from "../../core/train/mod.ts";

/**
 * BOOT: a one-step generator from the teacher and noise alone, no critic, no data, no pairs; the teacher is called once in an
 * update. Steps and rates of the paper's runs are not public. Gu et al. 2023, arXiv:2306.05544.
 */
export const boot: Recipe = {
  method: { use: "consistency" },
  teacher: { use: "edm" },
  generator: { use: "bootstrapped" },
  sampler: { use: "heun", steps: 18 },
  losses: { "edm-denoising": {}, bootstrap: {} },
  optimizers: {
    teacher: { use: "adamw", lr: 1e-3, weightDecay: 0, clip: 0 },
    generator: { use: "adamw", lr: 2e-5, weightDecay: 0, clip: 1 },
  },
  averages: {
    teacher: { use: "ema", halfLife: 500_000, rampUp: 0.05 },
    generator: { use: "ema-constant", beta: 0.9999, warmUp: true },
  },
};
