import { ladd } from "../../../plugins/methods/ladd.ts";
import { onRing } from "../ring.ts";

/** Levels at which points of the ring are apart: in more noise the teacher's features tell little. */
const game = { sigmaMax: 2 };

/** What a discriminator on the teacher's features has in the plane: a wide head, little momentum, and a slight penalty; chosen by trial. */
export const onFeatures = {
  critic: { headWidth: 256 },
  losses: { "gan-generator": game, "gan-discriminator": { ...game, r1: 1 } },
  optimizers: {
    generator: { lr: 1e-3, beta1: 0.5 },
    critic: { lr: 3e-3, beta1: 0.5, warmup: 100, decay: "cosine" },
  },
  averages: { generator: { use: "ema", halfLife: 150, unit: "updates" } },
  train: { steps: 8000 },
};

/** The ring by LADD. */
export const config = onRing(ladd, onFeatures);
