import { progressive } from "../../../plugins/methods/progressive.ts";
import { onRing } from "../ring.ts";

/** The ring by progressive distillation: six rounds, from 64 steps of the teacher to one of the generator. */
export const config = onRing(progressive, {
  method: { firstSteps: 32 },
  optimizers: { generator: { lr: 2e-3, warmup: 50, clip: 0 } },
  train: { steps: 9000 },
});
