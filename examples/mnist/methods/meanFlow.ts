import { meanFlow } from "../../../plugins/methods/meanFlow.ts";
import { onDigits } from "../digits.ts";

/** Digits by MeanFlow, with the teacher's velocity. */
export const config = onDigits(meanFlow, {
  losses: { "mean-flow": { velocity: "teacher" } },
  optimizers: { generator: { lr: 5e-4, warmup: 50 } },
  averages: { generator: { use: "ema", halfLife: 100, unit: "updates" } },
  train: { steps: 2000 },
});
