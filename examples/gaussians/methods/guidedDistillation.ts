import { guidedDistillation } from "../../../plugins/methods/guidedDistillation.ts";
import { onRing } from "../ring.ts";

/** The ring by guided distillation: the mode of a point is its class, and the teacher has seen a tenth of the points without. */
export const config = onRing(guidedDistillation, {
  dataset: { classes: true },
  network: { labelDropout: 0.1 },
  method: { firstSteps: 32 },
  optimizers: { generator: { lr: 2e-3, warmup: 50, clip: 0 } },
  train: { steps: 8000 },
});
