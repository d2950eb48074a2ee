import type { Recipe } from "../../core/train/mod.ts";

/**
 * DFNO: a neural operator over time, trained on the teacher's trajectories. By default every update draws new ones with the run's
 * sampler; `losses.trajectory.pairs` names a file of `onestep pairs --levels` instead. `generator.levels` has to be levels that the
 * sampler comes by: these are three of the eighteen that it has here. Zheng et al. 2022, arXiv:2211.13449.
 */
export const dfno: Recipe = {
  method: { use: "consistency" },
  teacher: { use: "edm" },
  generator: { use: "operator", levels: [12.91, 1.9233, 0.29644] },
  sampler: { use: "heun", steps: 18 },
  losses: { "edm-denoising": {}, trajectory: {} },
  optimizers: {
    teacher: { use: "adamw", lr: 1e-3, weightDecay: 0, clip: 0 },
    generator: { use: "adamw", lr: 2e-4, weightDecay: 0, clip: 0 },
  },
  averages: {
    teacher: { use: "ema", halfLife: 500_000, rampUp: 0.05 },
    generator: { use: "ema-constant", beta: 0.9999, warmUp: true },
  },
};
