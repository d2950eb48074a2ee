import { latentConsistency } from "../../../plugins/methods/latentConsistency.ts";
import { onDigits } from "../digits.ts";

/** Digits by latent consistency distillation, from the highest level of Stable Diffusion's table, without guidance. */
export const config = onDigits(latentConsistency, {
  generator: { sigmas: [14] },
  losses: { "latent-consistency": { grid: 20 } },
  optimizers: { generator: { lr: 5e-4, warmup: 50 } },
  averages: { generator: { use: "ema", halfLife: 50, unit: "updates" } },
  train: { steps: 1500 },
});
