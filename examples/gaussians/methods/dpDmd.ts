import { dpDmd } from "../../../plugins/methods/dpDmd.ts";
import { onRing } from "../ring.ts";

/** The ring by DP-DMD, in two steps. */
export const config = onRing(dpDmd, {
  generator: { sigmas: [10, 1] },
  losses: {
    "distribution-matching": { sigmaMax: 10 },
    "fake-score": { sigmaMax: 10 },
    "first-step": { anchor: 16 },
  },
  optimizers: {
    generator: { lr: 1.5e-3 },
    critic: { lr: 3e-3, warmup: 100, decay: "cosine" },
  },
  averages: { generator: { use: "ema", halfLife: 50, unit: "updates" } },
  train: { steps: 4400 },
});
