import type { Recipe } from "../../core/train/mod.ts";
import { withTeacher } from "./shared/pretraining.ts";

/** MeanFlow in the settings of NVlabs/FastGen for CIFAR-10: the cycle of a consistency model, from data, without an average as target. */
export const meanFlow: Recipe = withTeacher({
  method: { use: "consistency" },
  generator: { use: "mean-flow" },
  losses: { "mean-flow": {} },
  optimizers: {
    generator: { use: "adamw", lr: 6e-4, weightDecay: 0, clip: 0 },
  },
  averages: {
    generator: { use: "ema-constant", beta: 0.9999, warmUp: true },
  },
});
