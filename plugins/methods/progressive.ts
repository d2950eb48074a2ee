import { karrasSigmas } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import { GENERATOR, type Method, SAMPLER, type Stage, TEACHER, TRAIN_LENGTH } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import type { Recipe } from "../../core/train/mod.ts";
import { inheriting, teacherOptions, teacherStage } from "./shared/pretraining.ts";
import { checkSuccession, eulerOn } from "./shared/rounds.ts";

/**
 * Progressive distillation: rounds, each of which halves the steps of the generator. After a round the generator becomes the
 * teacher of the next; optimiser and averages begin again from zero. `train.steps` are those of all rounds together.
 * Salimans & Ho 2022, arXiv:2202.00512, Algorithm 2, in EDM's noise levels.
 */
export const progressiveMethod = definePlugin({
  name: "progressive",
  kind: "method",
  about: "Rounds that halve the generator's steps, each taught by the last; trains the teacher first",
  options: {
    ...teacherOptions,
    firstSteps: number({
      default: 16,
      min: 1,
      integer: true,
      about: "steps of the generator after the first round; the teacher takes twice as many",
    }),
    lastSteps: number({
      default: 1,
      min: 1,
      integer: true,
      about: "steps after the last round: firstSteps, halved a whole number of times",
    }),
    sigmaMin: number({ default: 0.002, above: 0, about: "noise level at which samples end" }),
    rho: number({ default: 7, min: 1, about: "bend of the levels; more puts them near sigmaMin" }),
  },
  create({ teacher, firstSteps, lastSteps, ...lower }, container): Method {
    const rounds = Math.log2(firstSteps / lastSteps) + 1;
    if (!Number.isInteger(rounds) || rounds < 1)
      throw failure(
        "E_OPTION",
        `Cannot configure progressive: firstSteps is ${firstSteps} and lastSteps ${lastSteps}, halving the first should lead to the last`,
      );
    const roles = { teacher: container.get(TEACHER), generator: container.get(GENERATOR) };
    checkSuccession("progressive", roles, rounds, "lastSteps says");
    const { sigmas, startScale } = roles.generator;
    const bounds = { ...lower, sigmaMax: sigmas[0] };
    const { steps, batch } = container.get(TRAIN_LENGTH);
    const taken = Array.from({ length: rounds }, (_, i) => firstSteps / 2 ** i);
    const shares = taken.map(shareOf);
    const before = (round: number) => shares.slice(0, round).reduce((sum, share) => sum + share, 0);
    const all = before(rounds);
    if (steps > 0 && steps < all)
      throw failure(
        "E_OPTION",
        `Cannot configure progressive: train.steps is ${steps}, should be at least ${all} for ${rounds} rounds`,
      );
    const beginning = (round: number) => Math.round((steps * before(round)) / all);
    const round = (own: number, i: number): Stage => ({
      name: `round ${i + 1}`,
      steps: beginning(i + 1) - beginning(i),
      batch,
      cycle: [[{ role: "generator" }]],
      begins: i === 0 ? inheriting(roles, ["generator"], "teacher") : { teacher: "generator", generator: "generator" },
      samplers: { generator: eulerOn(karrasSigmas(own + 1, bounds), startScale) },
      numbers: { steps: own, ...bounds },
    });
    return {
      name: "progressive",
      roles,
      stages: [teacherStage(teacher, container), ...taken.map(round)],
      samplers: {
        teacher: container.get(SAMPLER),
        generator: eulerOn(karrasSigmas(lastSteps + 1, bounds), startScale),
      },
    };
  },
});

/** Rounds to two steps and to one are the hardest, and get twice as long. */
const shareOf = (steps: number): number => (steps <= 2 ? 2 : 1);

/** Progressive distillation from 16 steps to one, with the rates of the CIFAR-10 run of the paper. */
export const progressive: Recipe = {
  method: { use: "progressive" },
  teacher: { use: "edm" },
  generator: { use: "few-step" },
  sampler: { use: "heun", steps: 18 },
  losses: { "edm-denoising": {}, progressive: {} },
  optimizers: {
    teacher: { use: "adamw", lr: 1e-3, weightDecay: 0, clip: 0 },
    generator: { use: "adamw", lr: 5e-5, weightDecay: 0, clip: 1 },
  },
  averages: { teacher: { use: "ema", halfLife: 500_000, rampUp: 0.05 } },
};
