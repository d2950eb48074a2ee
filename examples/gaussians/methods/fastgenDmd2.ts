import { fastgenDmd2 } from "../../../plugins/methods/fastgenDmd2.ts";
import { onRing } from "../ring.ts";

/** What FastGen's methods need in the plane: a weight of the GAN for few dimensions, and DMD2's rates. */
export const inPlane = {
  critic: { headWidth: 64 },
  losses: {
    "distribution-matching": { sigmaMax: 10 },
    "fake-score": { sigmaMax: 10 },
    "gan-generator": { sigmaMax: 10, weight: 0.03 },
    "gan-discriminator": { sigmaMax: 10 },
  },
  optimizers: {
    generator: { lr: 1.5e-3 },
    critic: { lr: 3e-3, warmup: 100, decay: "cosine" },
  },
  averages: { generator: { use: "ema", halfLife: 50, unit: "updates" } },
  train: { steps: 5000 },
};

/** The ring by FastGen's DMD2. */
export const config = onRing(fastgenDmd2, inPlane);
