import { mergeConfig } from "../../core/plugin/mod.ts";
import type { Recipe } from "../../core/train/mod.ts";
import { dmd2 } from "./dmd2.ts";

/**
 * Diff-Instruct as its code trains it on CIFAR-10: the plain difference of critic and teacher at EDM's training levels, one
 * update of the critic for each of the generator, on new images, without a GAN. The generator starts from noise of level 1.
 * Luo et al. 2023, arXiv:2305.18455.
 */
export const diffInstruct: Recipe = {
  method: { use: "dmd2", ttur: { critic: 1, generator: 1 }, criticImages: "fresh" },
  teacher: dmd2.teacher,
  generator: { use: "few-step", sigmas: [1] },
  critic: { use: "fake-score", head: false },
  sampler: dmd2.sampler,
  losses: { "edm-denoising": {}, "diff-instruct": {}, "fake-denoising": {} },
  optimizers: mergeConfig(dmd2.optimizers as object, {
    generator: { lr: 1e-5, warmup: 0, weightDecay: 0, clip: 0 },
    critic: { lr: 1e-5, warmup: 0, weightDecay: 0, clip: 0 },
  }),
  averages: dmd2.averages,
} as Recipe;
