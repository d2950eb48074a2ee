// A run that takes a second: eight Gaussians with their exact teacher, and a small generator.
import type { RunConfig } from "../../../core/train/mod.ts";
import { mergeConfig } from "../../../core/train/mod.ts";
import { dmd2 } from "../../../plugins/mod.ts";

/** The config of a run of so many steps. */
export const tinyRun = (steps = 6, more: object = {}): RunConfig =>
  mergeConfig(
    mergeConfig(
      { ...dmd2, dataset: { use: "gaussians" }, network: { use: "mlp", width: 16, depth: 1 } },
      {
        teacher: { use: "gaussian-mixture" },
        generator: { sigmas: [10] },
        losses: { "gan-generator": false, "gan-discriminator": false },
        metrics: { "gaussian-modes": { directions: 8 } },
        train: { steps, batch: 16, evaluateCount: 64, seed: 3 },
      },
    ),
    more,
  ) as RunConfig;
