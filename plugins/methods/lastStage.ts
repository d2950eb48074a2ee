import { failure } from "../../core/errors.ts";
import { GENERATOR, type Method, TRAIN_LENGTH } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { turnOptions, turnsOf } from "./dmd2.ts";
import { inheriting } from "./shared/pretraining.ts";

/**
 * A last stage after another distillation: the role `earlier`, a generator that learns by its own losses, and then the generator,
 * which starts from it and takes turns with a critic. Without an earlier stage (`earlier` 0) the generator starts from the file of
 * `start.generator`, or else from the teacher. `train.steps` are those of both.
 */
export const lastStageMethod = definePlugin({
  name: "last-stage",
  kind: "method",
  about: "A distillation by losses of the role `earlier`, then generator and critic in turns, from where it ends",
  options: {
    ...turnOptions,
    earlier: number({
      default: 0.5,
      min: 0,
      max: 0.99,
      about: "share of the steps that the earlier stage gets; 0 is none",
    }),
  },
  create({ earlier: share, ...options }, container): Method {
    const base = turnsOf(options, container);
    const generator = container.get(GENERATOR);
    const { steps, batch } = container.get(TRAIN_LENGTH);
    const first = Math.round(steps * share);
    if (share === 0) return { ...base, name: "last-stage" };
    if (steps > 0 && (first === 0 || first === steps))
      throw failure(
        "E_OPTION",
        `Cannot configure last-stage: train.steps is ${steps}, should leave both stages some; method.earlier is ${share} of them`,
        { fix: "raise train.steps, or set method.earlier=0 and losses of the role `earlier` off" },
      );
    const roles = { ...base.roles, earlier: generator };
    const own = Object.keys(base.roles);
    const [teacher, last] = base.stages;
    return {
      ...base,
      name: "last-stage",
      roles,
      stages: [
        teacher,
        {
          name: "earlier",
          steps: first,
          batch,
          roles: ["teacher", "earlier"],
          cycle: [[{ role: "earlier" }]],
          begins: inheriting(roles, ["earlier"], "teacher"),
        },
        { ...last, steps: steps - first, roles: own, begins: { ...last.begins, generator: "earlier" } },
      ],
      samplers: { ...base.samplers, earlier: base.samplers.generator },
    };
  },
});
