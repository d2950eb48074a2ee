import { consistencyTraining } from "../../../plugins/methods/consistencyTraining.ts";
import { onRing } from "../ring.ts";

/**
 * The ring by consistency training: from data, started from the teacher. Modes come out too wide here, in2 0.53: 5,000 updates are
 * few for a target that is an average, and with more or finer levels it falls apart. The improved form (`gaussians-ict`) reaches 0.78.
 */
export const config = onRing(consistencyTraining, {
  losses: { "consistency-training": { first: 10, last: 150 } },
  optimizers: { generator: { lr: 1e-3 } },
  averages: {
    generator: { use: "ema", halfLife: 200, unit: "updates" },
    "generator/target": { beta: 0.9 },
  },
  train: { steps: 5000 },
});
