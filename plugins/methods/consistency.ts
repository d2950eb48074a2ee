import { ownSampler } from "../../core/diffusion/mod.ts";
import { GENERATOR, type Method, SAMPLER, TEACHER, TRAIN_LENGTH } from "../../core/interfaces/mod.ts";
import { definePlugin } from "../../core/plugin/mod.ts";
import type { Recipe } from "../../core/train/mod.ts";
import { inheriting, teacherOptions, teacherStage, withTeacher } from "./shared/pretraining.ts";

/**
 * Consistency distillation: the generator alone moves, held to a running average of itself along the teacher's path. No critic,
 * no generated images. Song et al. 2023, arXiv:2303.01469, Algorithm 2.
 */
export const consistencyMethod = definePlugin({
  name: "consistency",
  kind: "method",
  about: "Consistency distillation: a generator and its average, no critic; trains the teacher first",
  options: teacherOptions,
  create({ teacher }, container): Method {
    const generator = container.get(GENERATOR);
    const roles = { teacher: container.get(TEACHER), generator };
    const { steps, batch } = container.get(TRAIN_LENGTH);
    const begins = inheriting(roles, ["generator"], "teacher");
    return {
      name: "consistency",
      roles,
      stages: [
        teacherStage(teacher, container),
        { name: "distillation", steps, batch, cycle: [[{ role: "generator" }]], begins },
      ],
      samplers: { teacher: container.get(SAMPLER), generator: ownSampler(generator) },
    };
  },
});

/** Consistency distillation with the settings of the official ImageNet-64 run, for Adam in place of its RAdam. */
export const consistency: Recipe = withTeacher({
  method: { use: "consistency" },
  generator: { use: "consistency" },
  losses: { "consistency-distillation": { levels: 40 } },
  optimizers: {
    generator: { use: "adamw", lr: 8e-6, weightDecay: 0, clip: 0 },
  },
  averages: {
    generator: { use: "ema-constant", beta: 0.9999, warmUp: true },
    "generator/target": { use: "ema-constant", beta: 0.95 },
  },
});
