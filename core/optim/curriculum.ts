/** How the levels of consistency models grow in number, and the average that goes with them, by the number of the update, 0, 1, … */

/** Where the number of levels starts and ends, and after how many updates. */
export interface CurriculumOptions {
  readonly first: number;
  readonly last: number;
  readonly updates: number;
}

/**
 * Intervals between noise levels, growing so that their square does so evenly: ⌈√((k/K)((last + 1)² − first²) + first²) − 1⌉,
 * at least 1. There is one level more. Song et al. 2023, arXiv:2303.01469, appendix C.
 */
export const growingIntervals = (update: number, { first, last, updates }: CurriculumOptions): number =>
  Math.max(Math.ceil(Math.sqrt((update / updates) * ((last + 1) ** 2 - first ** 2) + first ** 2) - 1), 1);

/** β of the target's average with so many intervals, exp(first·ln β₀/intervals): `start` at the first ones. */
export const adaptiveBeta = (start: number, first: number, intervals: number): number =>
  Math.exp((first * Math.log(start)) / intervals);
