import { mergeConfig } from "../../core/plugin/mod.ts";
import type { RunConfig } from "../../core/train/mod.ts";
import { dmd2 } from "../../plugins/methods/dmd2.ts";

/**
 * A user's own pictures, in subfolders by class or without classes: a small U-Net that fits them is trained and distilled into
 * one step.
 *
 *     onestep train pictures --data FOLDER --out runs/mine
 *
 * A tenth of the pictures is held out, and the samples are compared with it: `fit.ts` says how.
 */
export const preset: RunConfig = mergeConfig(
  {
    ...dmd2,
    dataset: { use: "pictures", holdOut: 0.1 },
    network: { use: "adm", channels: 32, blocks: 1, channelsPerHead: 32 },
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
    method: { teacher: { steps: 3000, batch: 32 } },
    train: { steps: 1500, batch: 32, evaluateCount: 1000 },
  },
);
