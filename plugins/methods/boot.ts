import type { Recipe } from "../../core/train/mod.ts";
import { withTeacher } from "./shared/pretraining.ts";

/**
 * BOOT: a one-step generator from the teacher and noise alone, no critic, no data, no pairs; the teacher is called once in an
 * update. Steps and rates of the paper's runs are not public. Gu et al. 2023, arXiv:2306.05544.
 */
export const boot: Recipe = withTeacher({
  method: { use: "consistency" },
  generator: { use: "bootstrapped" },
  losses: { bootstrap: {} },
  optimizers: {
    generator: { use: "adamw", lr: 2e-5, weightDecay: 0, clip: 1 },
  },
  averages: {
    generator: { use: "ema-constant", beta: 0.9999, warmUp: true },
  },
});
