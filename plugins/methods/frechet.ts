import type { Recipe } from "../../core/train/mod.ts";
import { withTeacher } from "./shared/pretraining.ts";

/**
 * The Fréchet distance of features as a last stage, after easy consistency tuning. The critic keeps running moments, which move with
 * every update of the generator. Features are the teacher's; `critic.extractor` and the same name in both losses read another
 * network's. After the code of Jiawei-Yang/FD-loss; rates and the stage before are ours.
 */
export const frechetStage: Recipe = withTeacher({
  method: { use: "last-stage", ttur: { critic: 1, generator: 1 } },
  generator: { use: "few-step" },
  critic: { use: "feature-moments" },
  losses: { "easy-consistency": { role: "earlier" }, frechet: {}, "feature-moments": {} },
  optimizers: {
    earlier: { use: "adamw", lr: 1e-4, weightDecay: 0, clip: 0 },
    generator: { use: "adamw", lr: 1e-5, weightDecay: 0, clip: 10 },
    critic: { use: "gradient-step" },
  },
  averages: {
    earlier: { use: "ema-constant", beta: 0.9999, warmUp: true },
    generator: { use: "ema-constant", beta: 0.9999, warmUp: true },
  },
});
