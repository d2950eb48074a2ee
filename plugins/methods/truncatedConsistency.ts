import { ownSampler } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import { GENERATOR, type Method, SAMPLER, TEACHER, TRAIN_LENGTH } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import type { Recipe } from "../../core/train/mod.ts";
import { inheriting, teacherOptions, teacherStage, withTeacher } from "./shared/pretraining.ts";

/**
 * Two stages of consistency: the role `earlier`, a generator for all levels, and then the generator for high ones, which starts from it
 * and is held to it below. `train.steps` are those of both. Lee et al. 2024, TCM, arXiv:2410.14895.
 */
export const truncatedConsistencyMethod = definePlugin({
  name: "truncated-consistency",
  kind: "method",
  about: "A consistency model for all levels, then one for high levels alone; trains the teacher first",
  options: {
    ...teacherOptions,
    earlier: number({ default: 0.5, above: 0, max: 0.99, about: "share of the steps that the earlier stage gets" }),
  },
  create({ teacher, earlier: share }, container): Method {
    const generator = container.get(GENERATOR);
    const roles = { teacher: container.get(TEACHER), generator, earlier: generator };
    const { steps, batch } = container.get(TRAIN_LENGTH);
    const first = Math.round(steps * share);
    // Where samples are drawn from stored weights, nothing is trained.
    if (steps > 0 && (first === 0 || first === steps))
      throw failure(
        "E_CONFIG",
        `Cannot configure truncated-consistency: train.steps is ${steps}, should leave both stages some; earlier is ${share} of them`,
      );
    const sampler = ownSampler(generator);
    return {
      name: "truncated-consistency",
      roles,
      stages: [
        teacherStage(teacher, container),
        {
          name: "consistency",
          steps: first,
          batch,
          roles: ["teacher", "earlier"],
          cycle: [[{ role: "earlier" }]],
          begins: inheriting(roles, ["earlier"], "teacher"),
        },
        {
          name: "truncation",
          steps: steps - first,
          batch,
          roles: ["teacher", "earlier", "generator"],
          cycle: [[{ role: "generator" }]],
          begins: { generator: "earlier" },
        },
      ],
      samplers: { teacher: container.get(SAMPLER), earlier: sampler, generator: sampler },
    };
  },
});

/** Truncated consistency on easy consistency, in the settings of NVlabs/FastGen for CIFAR-10, for Adam in place of its RAdam. */
export const truncatedConsistency: Recipe = withTeacher({
  method: { use: "truncated-consistency" },
  generator: { use: "few-step" },
  losses: { "easy-consistency": { role: "earlier" }, "truncated-consistency": {} },
  optimizers: {
    earlier: { use: "adamw", lr: 1e-4, weightDecay: 0, clip: 0 },
    generator: { use: "adamw", lr: 5e-5, weightDecay: 0, clip: 0 },
  },
  averages: {
    earlier: { use: "ema-constant", beta: 0.9999, warmUp: true },
    generator: { use: "ema-constant", beta: 0.9999, warmUp: true },
  },
});
