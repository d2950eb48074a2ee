import { DATA_SHAPE, GENERATOR, type Method, SAMPLER, TEACHER, TRAIN_LENGTH } from "../../core/interfaces/mod.ts";
import { definePlugin } from "../../core/plugin/mod.ts";
import type { Recipe } from "../../core/train/mod.ts";
import { halvedSteps, halvingOptions, halvingRounds } from "./shared/halving.ts";
import { inheriting, teacherOptions, teacherStage, withTeacher } from "./shared/pretraining.ts";
import { checkSuccession } from "./shared/rounds.ts";

/**
 * Progressive distillation: rounds, each of which halves the steps of the generator. After a round the generator becomes the
 * teacher of the next; optimiser and averages begin again from zero. `train.steps` are those of all rounds together.
 * Salimans & Ho 2022, arXiv:2202.00512, Algorithm 2, in EDM's noise levels or the paper's own.
 */
export const progressiveMethod = definePlugin({
  name: "progressive",
  kind: "method",
  about: "Rounds that halve the generator's steps, each taught by the last; trains the teacher first",
  options: {
    ...teacherOptions,
    ...halvingOptions,
  },
  create({ teacher, firstSteps, lastSteps, ...options }, container): Method {
    const taken = halvedSteps("progressive", firstSteps, lastSteps);
    const roles = { teacher: container.get(TEACHER), generator: container.get(GENERATOR) };
    checkSuccession("progressive", roles, taken.length, "lastSteps says", container.get(DATA_SHAPE));
    const first = inheriting(roles, ["generator"], "teacher");
    const { rounds, sampler } = halvingRounds("progressive", taken, {
      options,
      generator: roles.generator,
      ...container.get(TRAIN_LENGTH),
      begins: (round) => (round === 0 ? first : { teacher: "generator", generator: "generator" }),
    });
    return {
      name: "progressive",
      roles,
      stages: [teacherStage(teacher, container), ...rounds],
      samplers: { teacher: container.get(SAMPLER), generator: sampler },
    };
  },
});

/** Progressive distillation from 16 steps to one, with the rates of the CIFAR-10 run of the paper. */
export const progressive: Recipe = withTeacher({
  method: { use: "progressive" },
  generator: { use: "few-step" },
  losses: { progressive: {} },
  optimizers: {
    generator: { use: "adamw", lr: 5e-5, weightDecay: 0, clip: 1, decay: "linear" },
  },
});
