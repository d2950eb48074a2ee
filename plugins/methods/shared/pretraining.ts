/** The stage in which a method trains its teacher, before it distils. */
import type { Resolver } from "../../../core/di/mod.ts";
import { type Role, type Stage, TEACHER, TRAIN_LENGTH } from "../../../core/interfaces/mod.ts";
import { layoutOf } from "../../../core/nn/mod.ts";
import { group, mergeConfig, number, type OptionsOf, optional } from "../../../core/plugin/mod.ts";
import type { Recipe } from "../../../core/train/mod.ts";

const STEPS = 2000;

/** Options of every method with a teacher. */
export const teacherOptions = {
  teacher: group(
    {
      steps: optional(number({ min: 0, integer: true }), {
        about: `updates of the teacher before distillation; none is ${STEPS}, or 0 where it has weights`,
      }),
      batch: number({ default: 32, min: 1, integer: true, about: "samples a teacher update sees" }),
    },
    { about: "training of the teacher" },
  ),
};

const teacherPart = {
  teacher: { use: "edm" },
  sampler: { use: "heun", steps: 18 },
  losses: { "edm-denoising": {} },
  optimizers: { teacher: { use: "adamw", lr: 1e-3, weightDecay: 0, clip: 0 } },
  averages: { teacher: { use: "ema", halfLife: 500_000, rampUp: 0.05 } },
};

/**
 * A recipe with the teacher's part: EDM's settings for small data (arXiv:2206.00364), and how it is drawn from. A pretrained teacher
 * skips its training.
 */
export const withTeacher = (own: object): Recipe => mergeConfig<object>(teacherPart, own) as Recipe;

/** The stage `teacher`; of 0 steps for a teacher that can't be trained. */
export function teacherStage(
  { steps, batch }: OptionsOf<typeof teacherOptions>["teacher"],
  container: Resolver,
): Stage {
  const { trainable } = container.get(TEACHER);
  const known = container.get(TRAIN_LENGTH).started.includes("teacher");
  return {
    name: "teacher",
    steps: trainable ? (steps ?? (known ? 0 : STEPS)) : 0,
    batch,
    roles: ["teacher"],
    cycle: [[{ role: "teacher" }]],
  };
}

/**
 * Begins that learners take the weights of `source`: those that have any of it. None does where it has none, as a teacher in closed
 * form, and a head alone has none of a network.
 */
export function inheriting(
  roles: Readonly<Record<string, Role>>,
  learners: readonly string[],
  source: string,
): Readonly<Record<string, string>> {
  const namesOf = (role: Role) => layoutOf((scope) => role.declare(scope)).entries.map(({ name }) => name);
  if (namesOf(roles[source]).length === 0) return {};
  const takes = (role: Role) => !role.inherits || namesOf(role).some((name) => role.inherits?.(name) !== undefined);
  return Object.fromEntries(learners.filter((name) => takes(roles[name])).map((name) => [name, source]));
}
