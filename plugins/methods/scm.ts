import type { Recipe } from "../../core/train/mod.ts";
import { withTeacher } from "./shared/pretraining.ts";

/** sCM in the settings of NVlabs/FastGen for CIFAR-10, with a teacher (sCD) and for Adam in place of its RAdam; a consistency model's cycle. */
export const scm: Recipe = withTeacher({
  method: { use: "consistency" },
  generator: { use: "scm" },
  losses: { scm: {} },
  optimizers: {
    generator: { use: "adamw", lr: 1e-4, beta2: 0.99, weightDecay: 0, clip: 0 },
  },
  averages: {
    generator: { use: "ema-constant", beta: 0.9999, warmUp: true },
  },
});
