import type { Resolver } from "../../core/di/mod.ts";
import { ownSampler } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import {
  CRITIC,
  GENERATOR,
  LOSSES,
  type Method,
  type Role,
  SAMPLER,
  type Stage,
  TEACHER,
  TRAIN_LENGTH,
  type Turn,
} from "../../core/interfaces/mod.ts";
import { boolean, choice, definePlugin, group, number, type OptionsOf } from "../../core/plugin/mod.ts";
import type { Recipe } from "../../core/train/mod.ts";
import { inheriting, teacherOptions, teacherStage, withTeacher } from "./shared/pretraining.ts";

/** Two time-scale update rule: how often each role moves in a cycle. Whole numbers from 1. */
export interface Ttur {
  readonly critic: number;
  readonly generator: number;
  /** Whether a step belongs to one role. */
  readonly exclusive: boolean;
  /** Whose steps come first where they are exclusive; the generator's by default. */
  readonly first?: "generator" | "critic";
}

/**
 * The cycle of turns. At 5 : 1 the critic moves every step and the generator before it in every fifth, as DMD2 does; both move
 * in the first steps of a cycle that is as long as the larger number. Exclusive: the generator's steps, then the critic's, or
 * the other way round.
 * @param shared whether the critic's turn after the generator's sees the same images
 */
export function tturCycle({ critic, generator, exclusive, first }: Ttur, shared = true): Stage["cycle"] {
  const moves: Turn = { role: "generator", keeps: shared && !exclusive };
  const follows: Turn = { role: "critic", images: moves.keeps ? "kept" : "made" };
  const alone: Turn = { role: "critic" };
  if (exclusive) {
    const halves = [Array<Turn[]>(generator).fill([moves]), Array<Turn[]>(critic).fill([alone])];
    return (first === "critic" ? halves.reverse() : halves).flat();
  }
  return Array.from({ length: Math.max(critic, generator) }, (_, place) => {
    if (place >= generator) return [alone];
    return place < critic ? [moves, follows] : [{ ...moves, keeps: false }];
  });
}

/** Losses by which a critic learns the generator's samples. */
const SCORES = ["fake-score", "fake-denoising"];

/**
 * Adaptive turns: the critic moves in every step, on images of its own, and the generator before it where the critic follows.
 * @throws E_OPTION where the bounds are the wrong way round, there are several updates of the generator, or no loss tells of the critic
 */
function waitingCycle(
  {
    ttur: { critic, generator, exclusive },
    waits: { lag, most },
  }: Pick<OptionsOf<typeof turnOptions>, "ttur" | "waits">,
  container: Resolver,
): Stage["cycle"] {
  const refuse = (why: string, fix: string) =>
    failure("E_OPTION", `Cannot configure turns: method.waits.lag is ${lag}, and ${why}`, { fix });
  if (most < critic)
    throw refuse(`most is ${most}, should be at least critic, ${critic}`, `set method.waits.most=${2 * critic}`);
  if (generator !== 1 || exclusive)
    throw refuse(
      `the generator has ${generator} updates${exclusive ? " in steps of its own" : ""}, should have one`,
      "set method.ttur.generator=1 and method.ttur.exclusive=false",
    );
  // Samples are drawn without losses.
  const scored = container.all(LOSSES).find(({ name, weight }) => SCORES.includes(name) && weight > 0);
  if (!scored && container.get(TRAIN_LENGTH).steps > 0)
    throw refuse(
      `no loss tells how far the critic is, it should be one of ${SCORES.join(", ")}`,
      "set method.waits.lag=0",
    );
  const loss = scored?.name ?? SCORES[0];
  const turn = { role: "generator", waits: { role: "critic", loss, above: lag, least: critic, most } };
  return [[turn, { role: "critic" }]];
}

const once = { min: 1, integer: true } as const;

/** Options of every method in which a generator and a critic take turns. */
export const turnOptions = {
  ...teacherOptions,
  ttur: group(
    {
      critic: number({ default: 5, ...once, about: "critic updates in a cycle; 5 in the paper" }),
      generator: number({ default: 1, ...once, about: "generator updates in a cycle" }),
      exclusive: boolean({
        default: false,
        about: "whether a step belongs to one role; else both move in the first steps of a cycle",
      }),
    },
    { about: "two time-scale update rule" },
  ),
  waits: group(
    {
      lag: number({
        default: 0,
        min: 0,
        about: "how far above its least, as a share of it, the critic's loss may be; 0 is fixed turns, as ttur says",
      }),
      most: number({
        default: 10,
        ...once,
        about: "critic updates between two of the generator at most; ttur.critic at least",
      }),
    },
    { about: "adaptive turns: the generator waits until the critic follows, on images of its own" },
  ),
  first: choice(["generator", "critic"], {
    default: "generator",
    about: "whose steps begin an exclusive cycle",
  }),
  criticImages: choice(["shared", "fresh"], {
    default: "shared",
    about: "images the critic sees after the generator's turn: that turn's, or new ones of new weights",
  }),
};

/** DMD2's roles and stages. */
export function turnsOf(
  { teacher, ttur, waits, first, criticImages }: OptionsOf<typeof turnOptions>,
  container: Resolver,
): Method {
  const roles = rolesIn(container);
  const stages = [teacherStage(teacher, container)];
  if (!roles.generator) return method(roles, stages, container);
  const { steps, batch } = container.get(TRAIN_LENGTH);
  const turns = () =>
    waits.lag > 0 ? waitingCycle({ ttur, waits }, container) : tturCycle({ ...ttur, first }, criticImages === "shared");
  const cycle = roles.critic ? turns() : [[{ role: "generator" }]];
  const learners = Object.keys(roles).filter((role) => role !== "teacher");
  const begins = inheriting(roles, learners, "teacher");
  stages.push({ name: "distillation", steps, batch, cycle, begins });
  return method(roles, stages, container);
}

/**
 * DMD2: a generator and a critic that learns its distribution take turns, after a stage that trains the teacher where it has
 * no weights yet. Without a critic the generator moves in every step; without a generator only the teacher is trained.
 * Yin et al. 2024, arXiv:2405.14867, section 4.
 */
export const dmd2Method = definePlugin({
  name: "dmd2",
  kind: "method",
  about: "Generator and critic in turns, two time scales; trains the teacher first",
  options: turnOptions,
  create: turnsOf,
});

const rolesIn = (container: Resolver): Readonly<Record<string, Role>> => ({
  teacher: container.get(TEACHER),
  ...(container.has(GENERATOR) && { generator: container.get(GENERATOR) }),
  ...(container.has(CRITIC) && { critic: container.get(CRITIC) }),
});

const method = (roles: Method["roles"], stages: Stage[], container: Resolver): Method => ({
  name: "dmd2",
  roles,
  stages,
  ...(roles.generator && { maker: "generator" }),
  samplers: {
    teacher: container.get(SAMPLER),
    ...(roles.generator && { generator: ownSampler(container.get(GENERATOR)) }),
  },
});

/**
 * DMD2 with a one-step generator, as the official code trains it on ImageNet-64: plugins, weights and rates.
 *   L_G = L_dm + 3e-3 · L_gen,   L_C = L_fake + 1e-2 · L_disc,   5 critic updates for each of the generator
 * The teacher section trains one from scratch with EDM's settings for small data; a pretrained teacher skips it.
 * Yin et al. 2024, arXiv:2405.14867, appendix F.2.
 */
export const dmd2: Recipe = withTeacher({
  method: { use: "dmd2", ttur: { critic: 5, generator: 1 } },
  generator: { use: "few-step", sigmas: [80] },
  critic: { use: "fake-score" },
  losses: {
    "distribution-matching": { weight: 1 },
    "fake-score": { weight: 1 },
    "gan-generator": { weight: 3e-3 },
    "gan-discriminator": { weight: 1e-2 },
  },
  optimizers: {
    generator: { use: "adamw", lr: 2e-6, warmup: 500, clip: 10 },
    critic: { use: "adamw", lr: 2e-6, warmup: 500, clip: 10 },
  },
});

/**
 * DMD, which DMD2 improves on: a regression loss in place of the GAN and of the two time-scales.
 *   L_G = L_dm + 0.25 · L_reg,   L_C = L_fake,   one critic update for each of the generator
 * The regression loss needs `pairs`, drawn by `onestep pairs`, and `lpipsWeights`; with `distance: "l2"` only the former.
 * Rates are those of the official ImageNet-64 runs. Yin et al. 2023, arXiv:2311.18828; 1st row of Table 3 of
 * arXiv:2405.14867.
 */
export const dmd: Recipe = {
  ...dmd2,
  method: { use: "dmd2", ttur: { critic: 1, generator: 1 } },
  critic: { use: "fake-score", head: false },
  losses: {
    "edm-denoising": {},
    "distribution-matching": { weight: 1 },
    "fake-score": { weight: 1 },
    regression: { weight: 0.25, distance: "lpips" },
  },
};
