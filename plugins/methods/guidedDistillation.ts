import { failure } from "../../core/errors.ts";
import {
  DATA_SHAPE,
  GENERATOR,
  type Method,
  SAMPLER,
  type Stage,
  TEACHER,
  TRAIN_LENGTH,
} from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import type { Recipe } from "../../core/train/mod.ts";
import { halvedSteps, halvingOptions, halvingRounds } from "./shared/halving.ts";
import { inheriting, teacherOptions, teacherStage, withTeacher } from "./shared/pretraining.ts";
import { checkOneLevel, parametersOf } from "./shared/rounds.ts";

/**
 * Guided distillation: the generator, told a guidance scale, learns what its guided teacher says; then rounds halve its steps, each
 * taught by the generator of the one before, the role `former`, who is told the scale as well. `train.steps` are those of all.
 * Meng et al. 2022, arXiv:2210.03142.
 */
export const guidedDistillationMethod = definePlugin({
  name: "guided-distillation",
  kind: "method",
  about: "A generator told the guidance scale, matched to the guided teacher, then rounds that halve its steps",
  options: {
    ...teacherOptions,
    matching: number({ default: 0.25, above: 0, max: 0.99, about: "share of the steps that the first stage gets" }),
    ...halvingOptions,
  },
  create({ teacher, matching, firstSteps, lastSteps, ...options }, container): Method {
    const taken = halvedSteps("guided-distillation", firstSteps, lastSteps);
    const generator = container.get(GENERATOR);
    const roles = { teacher: container.get(TEACHER), generator, former: generator };
    checkOneLevel("guided-distillation", generator, "lastSteps says", container.get(DATA_SHAPE));
    const known = parametersOf(roles.teacher);
    if (parametersOf(generator).every((name) => known.includes(name)))
      throw failure(
        "E_CONFIG",
        "Cannot configure guided-distillation: the generator is told no guidance scale, it should be",
        { fix: "set generator.guidanceScale to the one that samples are drawn with" },
      );
    const { steps, batch } = container.get(TRAIN_LENGTH);
    const first = Math.round(steps * matching);
    if (steps > 0 && first === 0)
      throw failure(
        "E_OPTION",
        `Cannot configure guided-distillation: none of ${steps} train.steps are for the first stage, should be one or more`,
        { fix: "raise train.steps, or method.matching" },
      );
    const { rounds, sampler } = halvingRounds("guided-distillation", taken, {
      options,
      generator,
      steps: steps - first,
      batch,
      begins: () => ({ former: "generator", generator: "generator" }),
    });
    const match: Stage = {
      name: "matching",
      steps: first,
      batch,
      roles: ["teacher", "generator"],
      cycle: [[{ role: "generator" }]],
      begins: inheriting(roles, ["generator"], "teacher"),
      samplers: { generator: container.get(SAMPLER) },
      numbers: { sigmaMin: options.sigmaMin, sigmaMax: generator.sigmas[0], rho: options.rho },
    };
    return {
      name: "guided-distillation",
      roles,
      stages: [teacherStage(teacher, container), match, ...rounds],
      samplers: { teacher: container.get(SAMPLER), generator: sampler },
    };
  },
});

/** Guided distillation from 16 steps to one, with the rates of progressive distillation; the paper's own are not public. */
export const guidedDistillation: Recipe = withTeacher({
  method: { use: "guided-distillation" },
  generator: { use: "few-step", guidanceScale: 1, guidanceMax: 4 },
  losses: { "guided-distillation": {} },
  optimizers: {
    generator: { use: "adamw", lr: 5e-5, weightDecay: 0, clip: 1, decay: "linear" },
  },
});
