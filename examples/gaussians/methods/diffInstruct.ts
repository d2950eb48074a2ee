import { diffInstruct } from "../../../plugins/methods/diffInstruct.ts";
import { onRing } from "../ring.ts";

/**
 * The ring by Diff-Instruct. Its gradient has no normaliser and the critic one update for each of the generator, so the
 * generator must be slow: at a rate of 5e-4, from noise of level 10, only 57 % of the samples are within two deviations of a mode.
 */
export const config = onRing(diffInstruct, {
  generator: { sigmas: [2.5] },
  optimizers: {
    generator: { lr: 1.5e-4 },
    critic: { lr: 3e-3, warmup: 100, decay: "cosine" },
  },
  averages: { generator: { use: "ema", halfLife: 50, unit: "updates" } },
  train: { steps: 5000 },
});
