import { progressive } from "../../../plugins/methods/progressive.ts";
import { onDigits } from "../digits.ts";

/** Digits by progressive distillation: four rounds, from sixteen steps of the teacher to one of the generator. */
export const config = onDigits(progressive, {
  method: { firstSteps: 8 },
  optimizers: { generator: { lr: 1e-3, warmup: 20 } },
  train: { steps: 1800 },
});
