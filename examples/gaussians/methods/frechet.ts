import { frechetStage } from "../../../plugins/methods/frechet.ts";
import { onRing } from "../ring.ts";

const average = { use: "ema", halfLife: 50, unit: "updates" };

/** The ring by easy consistency tuning, and then the Fréchet distance of the teacher's features. */
export const config = onRing(frechetStage, {
  losses: { "easy-consistency": { each: 700, limit: 0.98 } },
  optimizers: { earlier: { lr: 1e-3, warmup: 100, decay: "cosine" }, generator: { lr: 1e-4 } },
  averages: { earlier: average, generator: average },
  method: { earlier: 0.75 },
  train: { steps: 5000 },
});
