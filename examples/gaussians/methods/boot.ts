import { boot } from "../../../plugins/methods/boot.ts";
import { onRing } from "../ring.ts";

/** The ring by BOOT, without data or pairs: two calls of the teacher in an update. */
export const config = onRing(boot, {
  generator: { sigmaMin: 0.02 },
  losses: { bootstrap: { levels: 56, rho: 2 } },
  optimizers: { generator: { lr: 1.2e-3, clip: 0 } },
  averages: { generator: { use: "ema", halfLife: 50, unit: "updates" } },
  train: { steps: 7000 },
});
