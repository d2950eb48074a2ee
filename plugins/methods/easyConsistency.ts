import type { Recipe } from "../../core/train/mod.ts";
import { withTeacher } from "./shared/pretraining.ts";

/**
 * Easy consistency tuning in the settings of NVlabs/FastGen for CIFAR-10, for Adam in place of its RAdam; a consistency model's cycle.
 * The generator starts from the teacher and learns from data; `losses.easy-consistency.teacher` makes it a distillation.
 * Geng et al. 2024, arXiv:2406.14548.
 */
export const easyConsistency: Recipe = withTeacher({
  method: { use: "consistency" },
  generator: { use: "few-step" },
  losses: { "easy-consistency": {} },
  optimizers: {
    generator: { use: "adamw", lr: 1e-4, weightDecay: 0, clip: 0 },
  },
  averages: {
    generator: { use: "ema-constant", beta: 0.9999, warmUp: true },
  },
});
