import { diffInstruct } from "../../../plugins/methods/diffInstruct.ts";
import { onRing } from "../ring.ts";

/** The ring by Diff-Instruct. */
export const config = onRing(diffInstruct, {
  optimizers: {
    generator: { lr: 5e-4 },
    critic: { lr: 3e-3, warmup: 100, decay: "cosine" },
  },
  averages: { generator: { use: "ema", halfLife: 50, unit: "updates" } },
  train: { steps: 3000 },
});
