import { consistencyTraining } from "../../../plugins/methods/consistencyTraining.ts";
import { onRing } from "../ring.ts";

/** The ring by consistency training: from data, started from the teacher. */
export const config = onRing(consistencyTraining, {
  losses: { "consistency-training": { last: 40 } },
  optimizers: { generator: { lr: 1e-3 } },
  averages: {
    generator: { use: "ema", halfLife: 200, unit: "updates" },
    "generator/target": { beta: 0.9, last: 40 },
  },
  train: { steps: 5000 },
});
