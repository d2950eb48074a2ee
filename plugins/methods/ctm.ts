import type { Recipe } from "../../core/train/mod.ts";
import { withTeacher } from "./shared/pretraining.ts";

/**
 * Consistency trajectory models with the settings of sony/ctm for CIFAR-10, for Adam in place of its RAdam, and without its GAN: the
 * cycle of consistency distillation.
 */
export const ctm: Recipe = withTeacher({
  method: { use: "consistency" },
  generator: { use: "ctm" },
  losses: { ctm: {} },
  optimizers: {
    generator: { use: "adamw", lr: 4e-4, weightDecay: 0, clip: 0 },
  },
  averages: {
    generator: { use: "ema-constant", beta: 0.999, warmUp: true },
    "generator/target": { use: "ema-constant", beta: 0.999 },
  },
});
