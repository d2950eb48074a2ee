import { fastgenDmd2 } from "../../../plugins/methods/fastgenDmd2.ts";
import { onDigits } from "../digits.ts";

/** What FastGen's methods need on digits: DMD2's rates, and as many updates of the generator. */
export const onFewDigits = {
  optimizers: {
    generator: { lr: 5e-4, warmup: 50 },
    critic: { lr: 1e-3, warmup: 50 },
  },
  averages: { generator: { use: "ema", halfLife: 20, unit: "updates" } },
  train: { steps: 1000 },
};

/** Digits by FastGen's DMD2. */
export const config = onDigits(fastgenDmd2, onFewDigits);
