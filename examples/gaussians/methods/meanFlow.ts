import { meanFlow } from "../../../plugins/methods/meanFlow.ts";
import { onRing } from "../ring.ts";

/** The ring by MeanFlow, with the teacher's velocity: that of the data is noisier, and leaves the modes less equal. */
export const config = onRing(meanFlow, {
  losses: { "mean-flow": { velocity: "teacher" } },
  optimizers: { generator: { lr: 1e-3 } },
  averages: { generator: { use: "ema", halfLife: 50, unit: "updates" } },
  train: { steps: 4000 },
});
