import { dmd2 } from "../../../plugins/methods/dmd2.ts";
import { onRing } from "../ring.ts";

/**
 * Eight Gaussians on a ring, small enough for any machine: an MLP teacher of 68,738 parameters is trained and distilled
 * into one step.
 *
 *     onestep train gaussians --out runs/ring
 *
 * In the plane the weights of the GAN losses are ten times those for images, because the distribution-matching gradient
 * of a sample grows with the number of its dimensions, and that of the discriminator does not. With two thirds of the
 * rates it takes 7,500 steps to draw as well. The teacher must be good: trained for 3,000 steps, it limits the generator.
 */
export const config = onRing(dmd2, {
  critic: { headWidth: 64 },
  losses: {
    "distribution-matching": { sigmaMax: 10 },
    "fake-score": { sigmaMax: 10 },
    "gan-generator": { sigmaMax: 10, weight: 0.03 },
    "gan-discriminator": { sigmaMax: 10, weight: 0.03 },
  },
  optimizers: {
    generator: { lr: 1.5e-3 },
    critic: { lr: 3e-3, warmup: 100, decay: "cosine" },
  },
  averages: { generator: { use: "ema", halfLife: 50, unit: "updates" } },
  train: { steps: 4400 },
});
