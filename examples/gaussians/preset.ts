import { mergeConfig } from "../../core/plugin/mod.ts";
import type { RunConfig } from "../../core/train/mod.ts";
import { dmd2 } from "../../plugins/methods/dmd2.ts";

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
export const preset: RunConfig = mergeConfig(
  { ...dmd2, dataset: { use: "gaussians" }, network: { use: "mlp", width: 128, depth: 5 } },
  {
    generator: { sigmas: [10] },
    critic: { headWidth: 64 },
    sampler: { steps: 40, sigmaMax: 10 },
    losses: {
      "distribution-matching": { sigmaMax: 10 },
      "fake-score": { sigmaMax: 10 },
      "gan-generator": { sigmaMax: 10, weight: 0.03 },
      "gan-discriminator": { sigmaMax: 10, weight: 0.03 },
    },
    optimizers: {
      teacher: { lr: 2e-3, warmup: 100, decay: "cosine" },
      generator: { lr: 1.5e-3, warmup: 100, decay: "cosine" },
      critic: { lr: 3e-3, warmup: 100, decay: "cosine" },
    },
    averages: {
      teacher: { use: "ema", halfLife: 200, unit: "updates" },
      generator: { use: "ema", halfLife: 50, unit: "updates" },
    },
    metrics: { "gaussian-modes": {} },
    method: { teacher: { steps: 5000, batch: 256 } },
    train: {
      steps: 4400,
      batch: 256,
      evaluateCount: 10_000,
    },
  },
);
