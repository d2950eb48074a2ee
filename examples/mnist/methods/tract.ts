import { tract } from "../../../plugins/methods/tract.ts";
import { onDigits } from "../digits.ts";

/** Digits by TRACT: eighteen steps of the teacher folded into one. */
export const config = onDigits(tract, {
  method: { phases: [18, 1] },
  losses: { tract: { clip: 1 } },
  optimizers: { generator: { lr: 1e-3, warmup: 50 } },
  averages: { generator: { use: "ema", halfLife: 50, unit: "updates" } },
  train: { steps: 1500 },
});
