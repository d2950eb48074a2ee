import { failure } from "../../core/errors.ts";
import { LOSSES, type Method, type Role, TRAIN_LENGTH, type Turn } from "../../core/interfaces/mod.ts";
import { ones } from "../../core/nn/mod.ts";
import { definePlugin, mergeConfig, number } from "../../core/plugin/mod.ts";
import type { Recipe } from "../../core/train/mod.ts";
import { turnOptions, turnsOf } from "./dmd2.ts";
import { fastgenDmd2 } from "./fastgenDmd2.ts";

const BINS = "ratio-bins";
/** Losses of a critic that leave its discriminator as it is. */
const scores = ["fake-score", "fake-denoising"];
const levels = { minStep: 0.002, maxStep: 0.998 };

/**
 * f-distill: DMD2's turns, and a role that remembers the mean density ratio in each bin of noise levels. It learns by the loss
 * `ratio-bins` after every turn of the generator, on that turn's images, and is a part of checkpoints as all roles are. With
 * `ratioBins` 0 there is no such role, and the config should have neither its loss nor its optimiser.
 * Xu et al. 2025, arXiv:2502.15681.
 */
export const fDistillMethod = definePlugin({
  name: "f-distill",
  kind: "method",
  about: "DMD2's turns with running means of density ratios, for losses that weigh samples by them",
  options: {
    ...turnOptions,
    ratioBins: number({
      default: 10,
      min: 0,
      integer: true,
      about: "bins of equal width over the noise levels, whose mean ratio divides those in them; 0 is off",
    }),
    ratioMemory: number({
      default: 0,
      min: 0,
      max: 0.999,
      about: "share of a bin's mean that stays from turn to turn; 0.5 in FastGen's run on ImageNet-64",
    }),
  },
  create({ ratioBins, ratioMemory, ...options }, container): Method {
    const base = turnsOf(options, container);
    const refuse = (why: string, fix: string) => failure("E_CONFIG", `Cannot distil by f-distill: ${why}`, { fix });
    if (!base.roles.critic)
      throw refuse("there is no critic, its discriminator gives the ratios", "add a section critic to the config");
    // Samples are drawn without losses.
    const trains = container.get(TRAIN_LENGTH).steps > 0;
    const active = container.all(LOSSES).filter(({ weight }) => weight !== 0);
    if (trains && active.every(({ name, role }) => role !== "critic" || scores.includes(name)))
      throw refuse(
        "no loss teaches the critic's discriminator, which gives the ratios",
        "add the losses gan-discriminator and gan-generator",
      );
    const numbers = { [BINS]: ratioBins, "ratio-memory": ratioMemory };
    const remembers = ratioBins > 0;
    if (trains && remembers && !active.some(({ role }) => role === BINS))
      throw refuse(
        "no loss teaches the bins of ratios",
        `add the loss ratio-bins, or set method.ratioBins=0 and optimizers.${BINS}=off`,
      );
    const stages = base.stages.map((stage) =>
      stage.name === "distillation"
        ? { ...stage, numbers, cycle: remembers ? stage.cycle.map((turns) => turns.flatMap(remembered)) : stage.cycle }
        : stage,
    );
    const roles = remembers ? { ...base.roles, [BINS]: binsRole(ratioBins) } : base.roles;
    return { ...base, name: "f-distill", roles, stages };
  },
});

/** The generator's turn keeps its images, and the bins look at them. */
const remembered = (turn: Turn): Turn[] =>
  turn.role === "generator"
    ? [
        { ...turn, keeps: true },
        { role: BINS, images: "kept" },
      ]
    : [turn];

const binsRole = (count: number): Role => {
  const bind: Role["bind"] = (scope) => ({ bins: scope.parameter("mean_ratio", [count], ones) });
  return { bind, declare: bind, inherits: () => undefined };
};

/**
 * f-distill as FastGen trains it on CIFAR-10: its DMD2 with samples weighed for the forward Kullback-Leibler divergence.
 * For bins that remember, as on ImageNet-64, set `method.ratioMemory` to 0.5.
 */
export const fDistill: Recipe = {
  ...fastgenDmd2,
  method: { ...fastgenDmd2.method, use: "f-distill" },
  losses: {
    // Before the GAN's, which are in its noise.
    "f-distill": { divergence: "kl", ...levels, epsilon: 1e-6, features: "teacher" },
    "ratio-bins": { ...levels, features: "teacher" },
    ...(mergeConfig(fastgenDmd2.losses, { "distribution-matching": false }) as object),
  },
  optimizers: { ...fastgenDmd2.optimizers, [BINS]: { use: "gradient-step" } },
};
