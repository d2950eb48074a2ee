import { guidedDistillation } from "../../../plugins/methods/guidedDistillation.ts";
import { onDigits } from "../digits.ts";

/** Digits by guided distillation: the teacher has seen a tenth of them without their class; samples are drawn at scale 2. */
export const config = onDigits(guidedDistillation, {
  network: { labelDropout: 0.1 },
  generator: { guidanceScale: 2 },
  method: { firstSteps: 8 },
  optimizers: { generator: { lr: 1e-3, warmup: 20 } },
  train: { steps: 2400 },
});
