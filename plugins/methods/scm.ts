import type { Recipe } from "../../core/train/mod.ts";

/** sCM in the settings of NVlabs/FastGen for CIFAR-10, with a teacher (sCD) and for Adam in place of its RAdam; a consistency model's cycle. */
export const scm: Recipe = {
  method: { use: "consistency" },
  teacher: { use: "edm" },
  generator: { use: "scm" },
  sampler: { use: "heun", steps: 18 },
  losses: { "edm-denoising": {}, scm: {} },
  optimizers: {
    teacher: { use: "adamw", lr: 1e-3, weightDecay: 0, clip: 0 },
    generator: { use: "adamw", lr: 1e-4, beta2: 0.99, weightDecay: 0, clip: 0 },
  },
  averages: {
    teacher: { use: "ema", halfLife: 500_000, rampUp: 0.05 },
    generator: { use: "ema-constant", beta: 0.9999, warmUp: true },
  },
};
