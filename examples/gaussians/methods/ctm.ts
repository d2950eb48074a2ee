import { ctm } from "../../../plugins/methods/ctm.ts";
import { onRing } from "../ring.ts";

/** The ring by consistency trajectories: fewer levels than for images, so that the teacher's steps cost less. */
export const config = onRing(ctm, {
  losses: { ctm: { levels: 10, teacherSteps: 4 } },
  optimizers: { generator: { lr: 1e-3 } },
  averages: {
    generator: { use: "ema", halfLife: 50, unit: "updates" },
    "generator/target": { beta: 0.95 },
  },
  train: { steps: 3000 },
});
