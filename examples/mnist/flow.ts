import { mergeConfig } from "../../core/plugin/mod.ts";
import type { RunConfig } from "../../core/train/mod.ts";
import { config } from "./methods/dmd2.ts";

/**
 * Handwritten digits by a rectified flow: a DiT of 1,275,408 parameters learns the velocity, as SD3 and FLUX do, and is distilled into
 * one step.
 *
 *     onestep train mnist-flow --data path/to/the/four/idx/files --out runs/flow
 *     onestep train mnist-flow --data path/to/the/four/idx/files --set generator.timesteps=998,749,499,249 --out runs/flow-4
 *
 * With patches of 2 pixels and half the width an update of the teacher takes longer and learns less: its loss is 0.25 after 2,000
 * updates, here 0.21. Times are drawn as SD3 does, seldom near 1, where a one-step generator starts: so its first images are
 * burnt out, of which the monitor `saturation` warns, and no longer are after about 30 steps.
 */
export const flow: RunConfig = mergeConfig(config, {
  network: { use: "dit", width: 128, depth: 4, heads: 4, patch: 4 },
  process: { use: "rectified-flow" },
  sampler: { use: "euler", steps: 25, spacing: "trailing" },
  generator: { timesteps: [998] },
  losses: { "edm-denoising": { levels: "logit-normal" } },
  method: { teacher: { steps: 3000 } },
  train: { steps: 600 },
});
