import { mergeConfig } from "../../core/plugin/mod.ts";
import type { RunConfig } from "../../core/train/mod.ts";
import { config } from "./methods/dmd2.ts";

/**
 * Handwritten digits with guidance as a slider: a generator that is told a guidance scale from 1 to 4 and draws at any of them with
 * one call. Its teacher has seen a tenth of the digits without their class.
 *
 *     onestep train mnist-guided --data path/to/the/four/idx/files --out runs/guided
 *     onestep sample runs/guided --guidance 3 --out clear.png
 *
 * There is no GAN: real digits are not guided, and a discriminator would pull every scale back to them. What it reaches is in
 * examples/guides/guidance.md.
 */
export const guided: RunConfig = mergeConfig(config, {
  network: { labelDropout: 0.1 },
  generator: { guidanceScale: 1, guidanceMax: 4 },
  critic: { head: false },
  losses: { "gan-generator": { weight: 0 }, "gan-discriminator": { weight: 0 } },
  optimizers: { generator: { decay: "cosine" }, critic: { decay: "cosine" } },
  averages: { generator: { halfLife: 50 } },
  method: { teacher: { steps: 3000 } },
  train: { steps: 3000 },
});
