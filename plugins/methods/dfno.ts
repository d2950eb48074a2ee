import type { Recipe } from "../../core/train/mod.ts";
import { withTeacher } from "./shared/pretraining.ts";

/**
 * DFNO: a neural operator over time, trained on the teacher's trajectories. By default every update draws new ones with the run's
 * sampler; `losses.trajectory.pairs` names a file of `onestep pairs --levels` instead. `generator.levels` has to be levels that the
 * sampler comes by: these are three of the eighteen that it has here. Zheng et al. 2022, arXiv:2211.13449.
 */
export const dfno: Recipe = withTeacher({
  method: { use: "consistency" },
  generator: { use: "operator", levels: [12.91, 1.9233, 0.29644] },
  losses: { trajectory: {} },
  optimizers: {
    generator: { use: "adamw", lr: 2e-4, weightDecay: 0, clip: 0 },
  },
  averages: {
    generator: { use: "ema-constant", beta: 0.9999, warmUp: true },
  },
});
