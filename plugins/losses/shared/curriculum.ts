/** How consistency models and progressive distillation change over a run, by the number of the update, 0, 1, … */
import { type CurriculumOptions, growingIntervals } from "../../../core/optim/mod.ts";

/** Steps of the generator in progressive distillation, halved after every `each` updates; the last two rounds have twice as many. */
export function halvedSteps(update: number, first: number, each: number): number {
  const steps = Math.max(Math.floor(first / 2 ** Math.floor(update / each)), 2);
  if (steps > 2) return steps;
  const since = Math.max(update - each * (Math.log2(first) - 1), 0);
  return Math.max(Math.floor(2 / 2 ** Math.floor(since / (2 * each))), 1);
}

/** How fast levels of a pair come together. */
export interface RatioOptions {
  /** Factor by which the gap shrinks from stage to stage, above 1. */
  readonly factor: number;
  readonly limit: number;
  /** Images, or updates, of a stage. */
  readonly each: number;
}

/** Ratio of a pair's levels in ECT: 1 − 1/factor^(stage + 1), at most `limit`. Geng et al. 2024, arXiv:2406.14548. */
export const growingRatio = (seen: number, { factor, limit, each }: RatioOptions): number =>
  Math.min(1 - 1 / factor ** (Math.floor(seen / each) + 1), limit);

/** How the number of levels grows. */
export const curricula = ["root", "doubling"] as const;

/**
 * Intervals of iCT: min(first·2^⌊k/K′⌋, last), K′ = ⌊K/(log₂⌊last/first⌋ + 1)⌋, so that each number has as many updates.
 * Song & Dhariwal 2023, arXiv:2310.14189, section 3.4.
 */
export function doublingIntervals(update: number, { first, last, updates }: CurriculumOptions): number {
  const each = Math.max(Math.floor(updates / (Math.log2(Math.floor(last / first)) + 1)), 1);
  return Math.min(first * 2 ** Math.floor(update / each), last);
}

/** Intervals between levels at an update. */
export const intervalsAt = (kind: (typeof curricula)[number], update: number, options: CurriculumOptions): number =>
  (kind === "root" ? growingIntervals : doublingIntervals)(update, options);
