import { ganTtur } from "../../../plugins/methods/ganAlone.ts";
import { onRing } from "../ring.ts";

/** Levels at which points of the ring are apart. */
const game = { sigmaMax: 2, weight: 1 };

/** What a GAN needs in the plane: full weights, a slight penalty, little momentum, a long average of a generator that wanders. */
export const alone = {
  critic: { headWidth: 256 },
  losses: {
    "fake-score": { sigmaMax: 10 },
    "gan-generator": game,
    "gan-discriminator": { ...game, r1: 1 },
  },
  optimizers: {
    generator: { lr: 1e-3, beta1: 0.5 },
    critic: { lr: 2e-3, beta1: 0.5, warmup: 100, decay: "cosine" },
  },
  averages: { generator: { use: "ema", halfLife: 150, unit: "updates" } },
  train: { steps: 8000 },
};

/** The ring by a GAN with two time scales. */
export const config = onRing(ganTtur, alone);
