import { dfno } from "../../../plugins/methods/dfno.ts";
import { onRing } from "../ring.ts";

/** The ring by a neural operator, which gives four points of the path at once: three that the sampler comes by, and the sample. */
export const config = onRing(dfno, {
  generator: { levels: [3.8348, 1.2627, 0.33697] },
  sampler: { steps: 12 },
  optimizers: { generator: { lr: 2e-3 } },
  averages: { generator: { use: "ema", halfLife: 50, unit: "updates" } },
  train: { steps: 1500 },
});
