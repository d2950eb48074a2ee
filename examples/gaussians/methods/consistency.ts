import { consistency } from "../../../plugins/methods/consistency.ts";
import { onRing } from "../ring.ts";

/** The ring by consistency distillation: no critic, no GAN; the target is an average of the generator itself. */
export const config = onRing(consistency, {
  losses: { "consistency-distillation": { levels: 18 } },
  optimizers: { generator: { lr: 1e-3 } },
  averages: { generator: { use: "ema", halfLife: 50, unit: "updates" } },
  train: { steps: 6000 },
});
