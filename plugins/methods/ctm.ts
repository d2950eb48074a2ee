import type { Recipe } from "../../core/train/mod.ts";

/**
 * Consistency trajectory models with the settings of sony/ctm for CIFAR-10, for Adam in place of its RAdam, and without its GAN: the
 * cycle of consistency distillation.
 */
export const ctm: Recipe = {
  method: { use: "consistency" },
  teacher: { use: "edm" },
  generator: { use: "ctm" },
  sampler: { use: "heun", steps: 18 },
  losses: { "edm-denoising": {}, ctm: {} },
  optimizers: {
    teacher: { use: "adamw", lr: 1e-3, weightDecay: 0, clip: 0 },
    generator: { use: "adamw", lr: 4e-4, weightDecay: 0, clip: 0 },
  },
  averages: {
    teacher: { use: "ema", halfLife: 500_000, rampUp: 0.05 },
    generator: { use: "ema-constant", beta: 0.999, warmUp: true },
    "generator/target": { use: "ema-constant", beta: 0.999 },
  },
};
