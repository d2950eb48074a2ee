import { reflow } from "../../../plugins/methods/reflow.ts";
import { onRing } from "../ring.ts";

/**
 * The ring by a rectified flow: one round that straightens the teacher's path, and one-step distillation of the flow. The teacher is
 * that of all other methods, a diffusion model; `--set process.use=rectified-flow` trains one that predicts the velocity.
 */
export const config = onRing(reflow, {
  process: false,
  generator: { timesteps: [] },
  sampler: { use: "heun", steps: 12, sigmaMax: 10 },
  losses: { "edm-denoising": { levels: "log-normal" } },
  optimizers: { generator: { lr: 2e-3, warmup: 100, clip: 0 } },
  averages: { generator: { use: "ema", halfLife: 50, unit: "updates" } },
  train: { steps: 3000 },
});
