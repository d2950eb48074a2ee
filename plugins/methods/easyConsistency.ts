import type { Recipe } from "../../core/train/mod.ts";

/**
 * Easy consistency tuning in the settings of NVlabs/FastGen for CIFAR-10, for Adam in place of its RAdam; a consistency model's cycle.
 * The generator starts from the teacher and learns from data; `losses.easy-consistency.teacher` makes it a distillation.
 * Geng et al. 2024, arXiv:2406.14548.
 */
export const easyConsistency: Recipe = {
  method: { use: "consistency" },
  teacher: { use: "edm" },
  generator: { use: "few-step" },
  sampler: { use: "heun", steps: 18 },
  losses: { "edm-denoising": {}, "easy-consistency": {} },
  optimizers: {
    teacher: { use: "adamw", lr: 1e-3, weightDecay: 0, clip: 0 },
    generator: { use: "adamw", lr: 1e-4, weightDecay: 0, clip: 0 },
  },
  averages: {
    teacher: { use: "ema", halfLife: 500_000, rampUp: 0.05 },
    generator: { use: "ema-constant", beta: 0.9999, warmUp: true },
  },
};
