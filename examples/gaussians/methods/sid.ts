import { sid } from "../../../plugins/methods/sid.ts";
import { onRing } from "../ring.ts";

/** What SiD and SiDA need in the plane. */
export const inPlane = {
  generator: { sigmas: [2.5] },
  losses: { sid: { sigmaMax: 10 } },
  optimizers: {
    generator: { lr: 5e-4 },
    critic: { lr: 3e-3, warmup: 100, decay: "cosine" },
  },
  averages: { generator: { use: "ema", halfLife: 50, unit: "updates" } },
  train: { steps: 3000 },
};

/** The ring by SiD. */
export const config = onRing(sid, inPlane);
