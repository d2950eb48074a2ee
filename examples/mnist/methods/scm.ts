import { scm } from "../../../plugins/methods/scm.ts";
import { onDigits } from "../digits.ts";

/** Digits by a continuous-time consistency model along the teacher's paths. */
export const config = onDigits(scm, {
  losses: { scm: { warmUp: 500 } },
  optimizers: { generator: { lr: 5e-4, warmup: 50 } },
  averages: { generator: { use: "ema", halfLife: 100, unit: "updates" } },
  train: { steps: 2000 },
});
