import { reflow } from "../../../plugins/methods/reflow.ts";
import { onRing } from "../ring.ts";

/**
 * The ring by a rectified flow: one round that straightens the teacher's path, and one-step distillation of the flow. The teacher is
 * that of all other methods, a diffusion model. A teacher that predicts the velocity takes 25 Euler steps and teaches as well:
 *
 *     onestep train gaussians-reflow --set process.use=rectified-flow --set process.timeScale=2 --set generator.sigmas=999 \
 *       --set losses.edm-denoising.levels=uniform-time --set sampler.use=euler --set sampler.spacing=trailing --set sampler.steps=25
 *
 * The time has to be scaled for this network: told 1000·t, it draws in2 0.52 in place of 0.84.
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
