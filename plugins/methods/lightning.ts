import {
  CRITIC,
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
import { ENDS } from "../losses/shared/stepJudgement.ts";
import { halvedSteps, halvingOptions, halvingRounds } from "./shared/halving.ts";
import { inheriting, teacherOptions, teacherStage, withTeacher } from "./shared/pretraining.ts";
import { checkSuccession } from "./shared/rounds.ts";

/**
 * Progressive adversarial distillation: rounds, each of which halves the steps of the generator, held to its teacher's by a
 * discriminator in place of a distance. At first that sees both ends of a step; then the end alone, which lets the generator
 * leave the teacher's path. After a round the generator becomes the teacher of the next.
 * Lin, Wang & Yang 2024, SDXL-Lightning, arXiv:2402.13929, section 3.
 */
export const lightningMethod = definePlugin({
  name: "lightning",
  kind: "method",
  about: "Rounds that halve the generator's steps, against a discriminator of steps; trains the teacher first",
  options: {
    ...teacherOptions,
    ...halvingOptions,
    relaxed: number({
      default: 0.5,
      min: 0,
      max: 1,
      about: "last share of a round, in which the discriminator sees the end of a step alone",
    }),
  },
  create({ teacher, firstSteps, lastSteps, relaxed, ...options }, container): Method {
    const taken = halvedSteps("lightning", firstSteps, lastSteps);
    const roles = {
      teacher: container.get(TEACHER),
      generator: container.get(GENERATOR),
      critic: container.get(CRITIC),
    };
    checkSuccession("lightning", roles, taken.length, "lastSteps says", container.get(DATA_SHAPE));
    const first = inheriting(roles, ["generator", "critic"], "teacher");
    const { rounds, sampler } = halvingRounds("lightning", taken, {
      options,
      generator: roles.generator,
      ...container.get(TRAIN_LENGTH),
      begins: (round) => (round === 0 ? first : { teacher: "generator", generator: "generator" }),
    });
    return {
      name: "lightning",
      roles,
      stages: [teacherStage(teacher, container), ...rounds.flatMap((round) => phasesOf(round, relaxed))],
      samplers: { teacher: container.get(SAMPLER), generator: sampler },
    };
  },
});

/** Both halves of a round, in which generator and critic move in every step. */
function phasesOf(round: Stage, relaxed: number): Stage[] {
  const cycle = [[{ role: "generator" }, { role: "critic" }]];
  const last = Math.round(round.steps * relaxed);
  const phase = (name: string, steps: number, ends: number, begins: Stage["begins"]): Stage => ({
    ...round,
    name,
    steps,
    cycle,
    begins,
    numbers: { ...round.numbers, [ENDS]: ends },
  });
  return [
    phase(round.name, round.steps - last, 2, round.begins),
    ...(last > 0 ? [phase(`${round.name}, relaxed`, last, 1, {})] : []),
  ];
}

/**
 * SDXL-Lightning's adversarial rounds, from eight steps to one, with the rates of its full fine-tuning. The paper comes to 32 steps
 * by a mean square with a guided teacher first: `progressive` does that. It also begins each round with low-rank adapters.
 */
export const lightning: Recipe = withTeacher({
  method: { use: "lightning", firstSteps: 8 },
  generator: { use: "few-step" },
  critic: { use: "step-discriminator" },
  losses: { "step-generator": {}, "step-discriminator": {} },
  optimizers: {
    generator: { use: "adamw", lr: 5e-7, beta1: 0, beta2: 0.99, weightDecay: 0 },
    critic: { use: "adamw", lr: 5e-7, beta1: 0, beta2: 0.99, weightDecay: 0 },
  },
});
