import { consistency } from "../../../plugins/methods/consistency.ts";
import { onDigits } from "../digits.ts";

/** Digits by consistency distillation. */
export const config = onDigits(consistency, {
  losses: { "consistency-distillation": { levels: 18 } },
  optimizers: { generator: { lr: 5e-4, warmup: 50 } },
  averages: { generator: { use: "ema", halfLife: 50, unit: "updates" } },
  train: { steps: 3000 },
});
