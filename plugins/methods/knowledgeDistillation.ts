import type { Recipe } from "../../core/train/mod.ts";
import { withTeacher } from "./shared/pretraining.ts";

/**
 * Knowledge distillation: regression on the teacher's own samples, no critic, no real data. By default every update draws new
 * pairs with the run's sampler; `losses.knowledge-distillation.pairs` names a file of `onestep pairs` instead, which costs no
 * network call of the teacher. Luhman & Luhman 2021, arXiv:2101.02388; clipping at 10 is FastGen's.
 */
export const kd: Recipe = withTeacher({
  method: { use: "consistency" },
  generator: { use: "few-step" },
  losses: { "knowledge-distillation": {} },
  optimizers: {
    generator: { use: "adamw", lr: 1e-4, weightDecay: 0, clip: 10 },
  },
  averages: {
    generator: { use: "ema-constant", beta: 0.9999, warmUp: true },
  },
});
