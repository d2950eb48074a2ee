import { mergeConfig } from "../../core/plugin/mod.ts";
import type { RunConfig } from "../../core/train/mod.ts";
import { dmd2 } from "../../plugins/methods/dmd2.ts";

/**
 * Handwritten digits by class, 16 x 16 pixels: a U-Net teacher of 827,617 parameters is trained and distilled into one
 * step.
 *
 *     onestep train mnist --data path/to/the/four/idx/files --out runs/digits
 *
 * The generator keeps a constant learning rate and is judged by its average: over a run this short, decay costs more than
 * it gives. With `--set method.ttur.critic=1` it diverges.
 */
export const preset: RunConfig = mergeConfig(
  {
    ...dmd2,
    dataset: { use: "mnist", resolution: 16 },
    network: {
      use: "adm",
      channels: 32,
      channelMult: [1, 2],
      blocks: 1,
      attention: [8],
      channelsPerHead: 32,
    },
  },
  {
    optimizers: {
      teacher: { lr: 2e-3, warmup: 100, decay: "cosine" },
      generator: { lr: 5e-4, warmup: 50 },
      critic: { lr: 1e-3, warmup: 50 },
    },
    averages: {
      teacher: { use: "ema", halfLife: 5000, rampUp: 0.05 },
      generator: { use: "ema", halfLife: 20, unit: "updates" },
    },
    metrics: { "classifier-frechet": {} },
    method: { teacher: { steps: 2000, batch: 32 } },
    train: {
      steps: 1000,
      batch: 32,
      evaluateCount: 1000,
    },
  },
);

/**
 * Fourteen times as many updates, and a GAN that counts: a generator that is better than its teacher.
 *
 *     onestep train mnist-longer --data path/to/the/four/idx/files --out runs/digits
 *
 * Matching distributions brings the generator as far as the teacher, and its class accuracy falls with the teacher's mistakes. What
 * helps beyond that is the GAN, at ten times the weight, with a discriminator that looks at levels where digits can still be told
 * from digits: below 0.6 of the grid, sigma 5.8. See examples/README.md for what it reaches.
 */
export const longer: RunConfig = mergeConfig(preset, {
  losses: {
    "gan-generator": { weight: 0.03, maxStep: 0.6 },
    "gan-discriminator": { weight: 0.1, maxStep: 0.6 },
  },
  optimizers: { generator: { decay: "cosine" }, critic: { decay: "cosine" } },
  averages: { generator: { halfLife: 150 } },
  train: { steps: 14_000, evaluateCount: 5000 },
});
