import { dmd2 } from "../../../plugins/methods/dmd2.ts";
import { onDigits } from "../digits.ts";

/**
 * Handwritten digits by class, 16 x 16 pixels: a U-Net teacher of 827,617 parameters is trained and distilled into one
 * step.
 *
 *     onestep train mnist --data path/to/the/four/idx/files --out runs/digits
 *
 * The generator keeps a constant learning rate and is judged by its average: over a run this short, decay costs more than
 * it gives. With `--set method.ttur.critic=1` it diverges.
 */
export const config = onDigits(dmd2, {
  optimizers: {
    generator: { lr: 5e-4, warmup: 50 },
    critic: { lr: 1e-3, warmup: 50 },
  },
  averages: { generator: { use: "ema", halfLife: 20, unit: "updates" } },
  train: { steps: 1000 },
});
