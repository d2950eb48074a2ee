import { mergeConfig } from "../../core/plugin/mod.ts";
import type { RunConfig } from "../../core/train/mod.ts";
import { fastgen } from "../../plugins/profiles/fastgen.ts";
import { pretrained } from "./official.ts";

/**
 * CIFAR-10 by class as NVIDIA's FastGen trains it, which is not the official code: EDM's DDPM++ teacher, turns of their own,
 * a discriminator on the teacher's features; FID 1.99. No warm-up.
 *
 *     onestep train cifar10 --data FOLDER --teacher edm-cifar10-32x32-cond-vp.safetensors
 *
 * The folder holds the original binary files. EDM's checkpoints have a layer for augmentation labels; nothing is augmented.
 */
export const cifar10: RunConfig = mergeConfig(
  mergeConfig(
    {
      ...pretrained,
      dataset: { use: "cifar10" },
      network: { use: "song", augmentLabels: 9 },
    },
    fastgen.config,
  ),
  {
    optimizers: { generator: { lr: 1e-4, warmup: 0 }, critic: { lr: 1e-4, warmup: 0 } },
    train: { steps: 100_000, batch: 2048, accumulate: 16, checkpointEvery: 1000 },
  },
);
