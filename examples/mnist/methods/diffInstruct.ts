import { diffInstruct } from "../../../plugins/methods/diffInstruct.ts";
import { onDigits } from "../digits.ts";

/** What methods with one update of the critic for each of the generator need on digits: a generator that is slow. */
export const oneToOne = {
  generator: { sigmas: [2.5] },
  optimizers: {
    generator: { lr: 1e-4, warmup: 50 },
    critic: { lr: 1e-3, warmup: 50 },
  },
  averages: { generator: { use: "ema", halfLife: 50, unit: "updates" } },
  train: { steps: 800 },
};

/** Digits by Diff-Instruct. */
export const config = onDigits(diffInstruct, oneToOne);
