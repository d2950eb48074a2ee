import { mergeConfig } from "../../core/plugin/mod.ts";
import type { Recipe, RunConfig } from "../../core/train/mod.ts";
import { consistency } from "../../plugins/methods/consistency.ts";
import { dmd2 } from "../../plugins/methods/dmd2.ts";
import { progressive } from "../../plugins/methods/progressive.ts";

/** The ring, its network and its teacher, for every method. */
const ring = {
  generator: { sigmas: [10] },
  sampler: { steps: 40, sigmaMax: 10 },
  optimizers: {
    teacher: { lr: 2e-3, warmup: 100, decay: "cosine" },
    generator: { warmup: 100, decay: "cosine" },
  },
  averages: { teacher: { use: "ema", halfLife: 200, unit: "updates" } },
  metrics: { "gaussian-modes": {} },
  method: { teacher: { steps: 5000, batch: 256 } },
  train: { batch: 256, evaluateCount: 10_000 },
};

const onRing = (recipe: Recipe, over: object): RunConfig => {
  const network = { use: "mlp", width: 128, depth: 5 };
  return mergeConfig(mergeConfig({ ...recipe, dataset: { use: "gaussians" }, network }, ring), over);
};

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
export const preset = onRing(dmd2, {
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

/** The ring by consistency distillation: no critic, no GAN; the target is an average of the generator itself. */
export const consistencyPreset = onRing(consistency, {
  losses: { "consistency-distillation": { levels: 18 } },
  optimizers: { generator: { lr: 1e-3 } },
  averages: { generator: { use: "ema", halfLife: 50, unit: "updates" } },
  train: { steps: 6000 },
});

/** The ring by progressive distillation: six rounds, from 64 steps of the teacher to one of the generator. */
export const progressivePreset = onRing(progressive, {
  method: { firstSteps: 32 },
  optimizers: { generator: { lr: 2e-3, warmup: 50, clip: 0 } },
  train: { steps: 9000 },
});
