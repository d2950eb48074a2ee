/** Rounds that halve the steps of a generator, each taught by the last. Salimans & Ho 2022, arXiv:2202.00512, Algorithm 2. */
import { failure } from "../../../core/errors.ts";
import type { Generator, Sampler, Stage } from "../../../core/interfaces/mod.ts";
import { choice, number, type OptionsOf } from "../../../core/plugin/mod.ts";
import { roundLevels } from "../../losses/shared/progressive.ts";
import { eulerOn } from "./rounds.ts";

export const halvingOptions = {
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
  spacing: choice(["karras", "cosine"], {
    default: "karras",
    about: "EDM's levels, which end at sigmaMin, or those of the cosine schedule, which end at the clean sample",
  }),
  sigmaMin: number({ default: 0.002, above: 0, about: "lowest noise level" }),
  rho: number({ default: 7, min: 1, about: "bend of Karras' levels; more puts them near sigmaMin" }),
};

/**
 * Steps of the generator after each round.
 * @throws E_OPTION in the name of `owner` where halving does not lead from the first to the last
 */
export function halvedSteps(owner: string, first: number, last: number): readonly number[] {
  const rounds = Math.log2(first / last) + 1;
  if (!Number.isInteger(rounds) || rounds < 1)
    throw failure(
      "E_OPTION",
      `Cannot configure ${owner}: firstSteps is ${first} and lastSteps ${last}, halving the first should lead to the last`,
      { fix: `use steps such as ${last * 2 ** Math.max(1, Math.round(Math.log2(first / last)))} and ${last}` },
    );
  return Array.from({ length: rounds }, (_, i) => first / 2 ** i);
}

/** Rounds to two steps and to one are the hardest, and get twice as long. */
const shareOf = (steps: number): number => (steps <= 2 ? 2 : 1);

/** What rounds are made of. */
export interface Halving {
  readonly options: Omit<OptionsOf<typeof halvingOptions>, "firstSteps" | "lastSteps">;
  readonly generator: Generator;
  /** Updates of all rounds. */
  readonly steps: number;
  readonly batch: number;
  /** Who takes whose weights as a round begins: the first is 0. */
  readonly begins: (round: number) => Stage["begins"];
}

/**
 * A stage for each number of steps, and the sampler after the last.
 * @throws E_OPTION in the name of `owner` where there are fewer updates than rounds need
 */
export function halvingRounds(
  owner: string,
  taken: readonly number[],
  { options, generator, steps, batch, begins }: Halving,
): { readonly rounds: readonly Stage[]; readonly sampler: Sampler } {
  const { spacing, ...lower } = options;
  const grid = { ...lower, sigmaMax: generator.sigmas[0], cosine: Number(spacing === "cosine") };
  const before = (round: number) => taken.slice(0, round).reduce((sum, own) => sum + shareOf(own), 0);
  const all = before(taken.length);
  if (steps > 0 && steps < all)
    throw failure(
      "E_OPTION",
      `Cannot configure ${owner}: ${steps} of the train.steps are for the ${taken.length} rounds, should be at least ${all}`,
      { fix: "raise train.steps, or take fewer rounds: a lower method.firstSteps or a higher lastSteps" },
    );
  const beginning = (round: number) => Math.round((steps * before(round)) / all);
  const sampler = (own: number) => eulerOn(roundLevels(own + 1, grid), generator.startScale);
  const rounds = taken.map(
    (own, i): Stage => ({
      name: `round ${i + 1}`,
      steps: beginning(i + 1) - beginning(i),
      batch,
      cycle: [[{ role: "generator" }]],
      begins: begins(i),
      samplers: { generator: sampler(own) },
      numbers: { steps: own, ...grid },
    }),
  );
  return { rounds, sampler: sampler(taken[taken.length - 1]) };
}
