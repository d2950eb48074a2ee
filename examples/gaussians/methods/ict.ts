import { improvedConsistencyTraining } from "../../../plugins/methods/consistencyTraining.ts";
import { onRing } from "../ring.ts";

/** The ring by improved consistency training: from data, started from the teacher. */
export const config = onRing(improvedConsistencyTraining, {
  losses: { "consistency-training": { first: 10, last: 160 } },
  optimizers: { generator: { lr: 1e-3 } },
  averages: { generator: { use: "ema", halfLife: 200, unit: "updates" } },
  train: { steps: 5000 },
});
