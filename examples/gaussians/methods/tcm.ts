import { truncatedConsistency } from "../../../plugins/methods/truncatedConsistency.ts";
import { onRing } from "../ring.ts";

const average = { use: "ema", halfLife: 50, unit: "updates" };

/** The ring by truncated consistency, from data alone: easy consistency, and then the levels above 0.5. */
export const config = onRing(truncatedConsistency, {
  losses: {
    "easy-consistency": { each: 1000, limit: 0.98 },
    "truncated-consistency": { border: 0.5, ratio: 0.98 },
  },
  optimizers: { earlier: { lr: 1e-3, warmup: 100, decay: "cosine" }, generator: { lr: 5e-4 } },
  averages: { earlier: average, generator: average },
  method: { earlier: 0.7 },
  train: { steps: 10_000 },
});
