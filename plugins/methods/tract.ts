import { karrasSigmas } from "../../core/diffusion/mod.ts";
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
import { definePlugin, list, number } from "../../core/plugin/mod.ts";
import type { Recipe } from "../../core/train/mod.ts";
import { inheriting, teacherOptions, teacherStage, withTeacher } from "./shared/pretraining.ts";
import { checkSuccession, eulerOn } from "./shared/rounds.ts";

/**
 * TRACT: phases, each of which folds many steps of its teacher into few of the generator, by a running average that teaches
 * itself. After a phase the generator becomes the teacher of the next; optimiser and averages begin again from zero.
 * `train.steps` are those of all phases together. Berthelot et al. 2023, arXiv:2303.04248.
 */
export const tractMethod = definePlugin({
  name: "tract",
  kind: "method",
  about: "Transitive closure: phases that fold many steps of a teacher into few; trains the teacher first",
  options: {
    ...teacherOptions,
    phases: list(number({ min: 1, integer: true }), {
      default: [40, 1],
      about: "steps of the teacher, then of the generator after each phase; each a divisor of the one before",
    }),
    sigmaMin: number({ default: 0.002, above: 0, about: "lowest noise level above the clean sample" }),
    rho: number({ default: 7, min: 1, about: "bend of the levels; more puts them near sigmaMin" }),
  },
  create({ teacher, phases, ...lower }, container): Method {
    checkPhases(phases);
    const roles = { teacher: container.get(TEACHER), generator: container.get(GENERATOR) };
    const [levels, ...taken] = phases;
    checkSuccession("tract", roles, taken.length, "phases says", container.get(DATA_SHAPE));
    const { sigmas, startScale } = roles.generator;
    const bounds = { ...lower, sigmaMax: sigmas[0] };
    const { steps, batch } = container.get(TRAIN_LENGTH);
    if (steps > 0 && steps < taken.length)
      throw failure(
        "E_OPTION",
        `Cannot configure tract: train.steps is ${steps}, should be at least ${taken.length}, one for each phase`,
        { fix: "raise train.steps, or leave out some of method.phases" },
      );
    const grid = [...karrasSigmas(levels, bounds), 0];
    const sampler = (own: number) =>
      eulerOn(
        grid.filter((_, i) => i % (levels / own) === 0),
        startScale,
      );
    const beginning = (phase: number) => Math.round((steps * phase) / taken.length);
    const phase = (own: number, i: number): Stage => ({
      name: `phase ${i + 1}`,
      steps: beginning(i + 1) - beginning(i),
      batch,
      cycle: [[{ role: "generator" }]],
      begins: i === 0 ? inheriting(roles, ["generator"], "teacher") : { teacher: "generator", generator: "generator" },
      samplers: { generator: sampler(own) },
      // The generator of a phase knows its own jumps, and no slope between them.
      numbers: { levels, teacherSteps: phases[i], steps: own, order: i === 0 ? 2 : 1, ...bounds },
    });
    return {
      name: "tract",
      roles,
      stages: [teacherStage(teacher, container), ...taken.map(phase)],
      samplers: { teacher: container.get(SAMPLER), generator: sampler(taken[taken.length - 1]) },
    };
  },
});

/** Throws E_OPTION unless every phase divides the one before. */
function checkPhases(phases: readonly number[]): void {
  const divides = (steps: number, i: number) => i === 0 || (steps < phases[i - 1] && phases[i - 1] % steps === 0);
  if (phases.length < 2 || !phases.every(divides))
    throw failure(
      "E_OPTION",
      `Cannot configure tract: phases is [${phases.join(", ")}], should be two or more numbers of steps, each a smaller divisor of the one before`,
      { fix: "use phases such as 40,1 or 64,8,1" },
    );
}

/** TRACT from 40 steps to one in a single phase, with the rate of the official CIFAR-10 run. */
export const tract: Recipe = withTeacher({
  method: { use: "tract" },
  generator: { use: "few-step" },
  losses: { tract: {} },
  optimizers: {
    generator: { use: "adamw", lr: 1e-3, weightDecay: 0, clip: 0 },
  },
  averages: {
    generator: { use: "ema-constant", beta: 0.9999, warmUp: true },
    "generator/self": { use: "ema-constant", beta: 0.5, unbiased: true },
  },
});
