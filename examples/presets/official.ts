import { mergeConfig } from "../../core/plugin/mod.ts";
import type { Recipe } from "../../core/train/mod.ts";
import { dmd2 } from "../../plugins/methods/dmd2.ts";

/** Learning-rate schedulers of the official code tick once per device; its 500 ticks of warm-up in steps of the whole batch. */
export const warmUpOn = (devices: number): number => Math.ceil(500 / devices);

/** Both optimisers with the same rate, warm from the first steps of `devices` devices on. */
export const rates = (lr: number, devices: number) => ({
  generator: { lr, warmup: warmUpOn(devices) },
  critic: { lr, warmup: warmUpOn(devices) },
});

/** GAN losses left out, and the discriminator with them. */
export const withoutGan = {
  critic: { head: false },
  losses: { "gan-generator": false, "gan-discriminator": false },
};

/** What a second stage starts from: the weights of the first, under fresh optimisers. */
export const secondStage = { start: { generator: null, critic: null } };

/**
 * What all official runs share: a pretrained teacher from a file, AdamW with the settings of DMD2, seed 10, no average.
 * `train.accumulate` stands in for the devices: the global batch is theirs, gathered in parts that one device holds.
 * Yin et al. 2024, DMD2, arXiv:2405.14867, appendix F.
 */
export const pretrained: Recipe = mergeConfig<Recipe>(dmd2, {
  losses: { "edm-denoising": false },
  optimizers: { teacher: false },
  averages: { teacher: false },
  start: { teacher: null },
  method: { teacher: { steps: 0 } },
  train: { seed: 10 },
});

/** What latent consistency models of pretrained teachers share: four steps, w from 5 to 15 in the words of the public script. */
export const pretrainedLcm = (recipe: Recipe): Recipe =>
  mergeConfig<Recipe>(recipe, {
    teacher: { use: "guided", guidanceScale: 1 },
    generator: { timesteps: [999, 759, 499, 259], guidanceMin: 6, guidanceMax: 16 },
    losses: { "edm-denoising": false },
    optimizers: { teacher: false },
    averages: { teacher: false },
    start: { teacher: null },
    method: { teacher: { steps: 0 } },
  });
