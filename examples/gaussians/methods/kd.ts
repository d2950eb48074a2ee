import { kd } from "../../../plugins/methods/knowledgeDistillation.ts";
import { onRing } from "../ring.ts";

/** The ring by knowledge distillation on new pairs in every update, 23 calls of the teacher each. */
export const config = onRing(kd, {
  sampler: { steps: 12 },
  optimizers: { generator: { lr: 2e-3, clip: 0 } },
  averages: { generator: { use: "ema", halfLife: 50, unit: "updates" } },
  train: { steps: 1500 },
});
