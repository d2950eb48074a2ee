import { decoupledDmd } from "../../../plugins/methods/decoupledDmd.ts";
import { onRing } from "../ring.ts";

/** The ring by Decoupled DMD: the mode of a point is its class, and the teacher has seen a tenth of the points without. */
export const config = onRing(decoupledDmd, {
  dataset: { classes: true },
  network: { labelDropout: 0.1 },
  losses: {
    "guidance-augmentation": { sigmaMax: 10, scale: 0.05 },
    "decoupled-matching": { sigmaMax: 10 },
    "fake-score": { sigmaMax: 10 },
  },
  optimizers: {
    generator: { lr: 1.5e-3 },
    critic: { lr: 3e-3, warmup: 100, decay: "cosine" },
  },
  averages: { generator: { use: "ema", halfLife: 50, unit: "updates" } },
  train: { steps: 3000 },
});
