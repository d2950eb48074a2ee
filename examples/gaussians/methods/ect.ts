import { easyConsistency } from "../../../plugins/methods/easyConsistency.ts";
import { onRing } from "../ring.ts";

/** The ring by easy consistency tuning, from data alone. */
export const config = onRing(easyConsistency, {
  losses: { "easy-consistency": { each: 1000, limit: 0.98 } },
  optimizers: { generator: { lr: 1e-3 } },
  averages: { generator: { use: "ema", halfLife: 50, unit: "updates" } },
  train: { steps: 8000 },
});
