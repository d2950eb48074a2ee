import { mergeConfig } from "../../core/plugin/mod.ts";
import type { RunConfig } from "../../core/train/mod.ts";
import { config } from "./methods/dmd2.ts";

/**
 * Fourteen times as many updates, and a GAN that counts: a generator that is better than its teacher.
 *
 *     onestep train mnist-longer --data path/to/the/four/idx/files --out runs/digits
 *
 * Matching distributions brings the generator as far as the teacher, and its class accuracy falls with the teacher's mistakes. What
 * helps beyond that is the GAN, at ten times the weight, with a discriminator that looks at levels where digits can still be told
 * from digits: below 0.6 of the grid, sigma 5.8. See examples/README.md for what it reaches.
 */
export const longer: RunConfig = mergeConfig(config, {
  losses: {
    "gan-generator": { weight: 0.03, maxStep: 0.6 },
    "gan-discriminator": { weight: 0.1, maxStep: 0.6 },
  },
  optimizers: { generator: { decay: "cosine" }, critic: { decay: "cosine" } },
  averages: { generator: { halfLife: 150 } },
  train: { steps: 14_000, evaluateCount: 5000 },
});
