import { ladd } from "../../../plugins/methods/ladd.ts";
import { onDigits } from "../digits.ts";

/** Levels at which strokes are seen: in more noise the teacher's features tell little. */
const game = { sigmaMax: 1 };

/**
 * Digits by LADD: a wide head, a slight penalty, little momentum and slow rates; with DMD2's rates at all levels it collapses to one
 * picture.
 */
export const config = onDigits(ladd, {
  critic: { headWidth: 128 },
  losses: { "gan-generator": game, "gan-discriminator": { ...game, r1: 1 } },
  optimizers: {
    generator: { lr: 2e-4, beta1: 0.5, warmup: 50 },
    critic: { lr: 1e-3, beta1: 0.5, warmup: 50 },
  },
  averages: { generator: { use: "ema", halfLife: 20, unit: "updates" } },
  train: { steps: 4000 },
});
