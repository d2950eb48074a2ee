import { scm } from "../../../plugins/methods/scm.ts";
import { onRing } from "../ring.ts";

/** The ring by a continuous-time consistency model along the teacher's paths. */
export const config = onRing(scm, {
  losses: { scm: { warmUp: 1000 } },
  optimizers: { generator: { lr: 1e-3 } },
  averages: { generator: { use: "ema", halfLife: 50, unit: "updates" } },
  train: { steps: 5000 },
});
