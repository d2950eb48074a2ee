import { lightning } from "../../../plugins/methods/lightning.ts";
import { onRing } from "../ring.ts";

/** The ring by progressive adversarial distillation, from eight steps to one. */
export const config = onRing(lightning, {
  method: { sigmaMin: 0.01 },
  critic: { headWidth: 64 },
  optimizers: {
    generator: { lr: 5e-4, warmup: 0, decay: "linear" },
    critic: { lr: 1e-3 },
  },
  train: { steps: 6000 },
});
