import { tract } from "../../../plugins/methods/tract.ts";
import { onRing } from "../ring.ts";

/** The ring by TRACT: forty steps of the teacher folded into one, in a single phase. */
export const config = onRing(tract, {
  optimizers: { generator: { lr: 1e-3 } },
  averages: { generator: { use: "ema", halfLife: 50, unit: "updates" } },
  train: { steps: 6000 },
});
