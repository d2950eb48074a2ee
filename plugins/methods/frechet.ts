import type { Recipe } from "../../core/train/mod.ts";
import { easyConsistency } from "./easyConsistency.ts";

/**
 * The Fréchet distance of features as a last stage, after easy consistency tuning. The critic keeps running moments, which move with
 * every update of the generator. Features are the teacher's; `critic.extractor` and the same name in both losses read another
 * network's. After the code of Jiawei-Yang/FD-loss; rates and the stage before are ours.
 */
export const frechetStage: Recipe = {
  method: { use: "last-stage", ttur: { critic: 1, generator: 1 } },
  teacher: easyConsistency.teacher,
  generator: { use: "few-step" },
  critic: { use: "feature-moments" },
  sampler: easyConsistency.sampler,
  losses: { "edm-denoising": {}, "easy-consistency": { role: "earlier" }, frechet: {}, "feature-moments": {} },
  optimizers: {
    teacher: { use: "adamw", lr: 1e-3, weightDecay: 0, clip: 0 },
    earlier: { use: "adamw", lr: 1e-4, weightDecay: 0, clip: 0 },
    generator: { use: "adamw", lr: 1e-5, weightDecay: 0, clip: 10 },
    critic: { use: "gradient-step" },
  },
  averages: {
    teacher: { use: "ema", halfLife: 500_000, rampUp: 0.05 },
    earlier: { use: "ema-constant", beta: 0.9999, warmUp: true },
    generator: { use: "ema-constant", beta: 0.9999, warmUp: true },
  },
} as Recipe;
