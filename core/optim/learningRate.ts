/** A schedule: the factor on the base rate at training step 0, 1, … */
export type RateSchedule = (step: number) => number;

/**
 * Rises from 0 over `warmup` steps as step/warmup, so that the first update has rate 0, then stays 1.
 * Every schedule here begins like this; 0 is no warm-up.
 */
export const constantRate =
  (warmup = 0): RateSchedule =>
  (step) =>
    step < warmup ? step / warmup : 1;

/** After the warm-up ½ (1 + cos π p), down to 0 at step `total`, where p is the part of the way done. */
export const cosineRate =
  (total: number, warmup = 0): RateSchedule =>
  (step) =>
    step < warmup
      ? step / warmup
      : 0.5 * (1 + Math.cos(Math.PI * Math.min(1, (step - warmup) / Math.max(1, total - warmup))));

/** After the warm-up 1 − p, down to 0 at step `total`, where p is the part of the way done. */
export const linearRate =
  (total: number, warmup = 0): RateSchedule =>
  (step) =>
    step < warmup ? step / warmup : Math.max(0, (total - step) / Math.max(1, total - warmup));
