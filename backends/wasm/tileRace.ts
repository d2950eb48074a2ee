/** Which of the two tile sets a backend's kernels use (`WIDE` of assembly/lib/wide.ts), and why: for people. */
export interface TileChoice {
  readonly wide: boolean;
  readonly reason: string;
}

/** Something short that kernels compute in either tile set. */
export interface Trial {
  /** Computes it, for some tens of microseconds. */
  run(wide: boolean): void;
  /** Its result, computed anew. */
  result(wide: boolean): Int32Array;
}

/** Time, as the race sees it. */
export interface Clock {
  /** In milliseconds. */
  now(): number;
  /** Lets the engine's compiler have the core for a while. */
  pause(): Promise<unknown>;
}

/** Wide tiles are used when they are so many times as fast: joined they are almost 2, not joined 0.7. */
const MIN_GAIN = 1.2;
/** More than joining can give: then the narrow tiles can't have been optimised. */
const MAX_GAIN = 2.6;
/** Code that takes less than this part of its first time has been optimised: that makes it three to six times as fast. */
const OPTIMISED = 0.55;
/** Milliseconds of a burst of runs; the first is short, since optimised code may come after half a millisecond of work. */
const BURST = { first: 0.3, later: 1 };
/**
 * Milliseconds after which the race ends whether or not the engine has optimised anything (it may have done so before); it
 * waits longer for one set where the other is optimised already: then the machine is busy. It takes about 10 otherwise.
 */
const LIMIT = { neither: 60, one: 250 };

const realClock: Clock = {
  now: () => performance.now(),
  pause: () => new Promise((resolve) => setTimeout(resolve, 1)),
};

/**
 * Finds out by time which tiles are faster, and whether both give the same bits. Engines join vectors only in the code of
 * their optimising compiler, which comes after a few milliseconds of work: bursts of runs go on until both tile sets have
 * become faster and two bursts agree.
 */
export async function raceTiles(trial: Trial, clock: Clock = realClock): Promise<TileChoice> {
  const start = clock.now();
  // Functions are compiled when they are first called.
  burst(trial, clock, 0);
  const cold = burst(trial, clock, BURST.first);
  let gain = 0;
  let agreeing = 0;
  let limit = LIMIT.neither;
  while (agreeing < 2 && clock.now() - start < limit) {
    await clock.pause();
    const times = burst(trial, clock, BURST.later);
    const before = gain;
    gain = times[0] / times[1];
    const optimised = times.filter((time, i) => time < OPTIMISED * cold[i]).length;
    limit = optimised === 1 ? LIMIT.one : LIMIT.neither;
    if (optimised < 2 || gain > MAX_GAIN) agreeing = 0;
    else agreeing = agreeing > 0 && before >= MIN_GAIN === gain >= MIN_GAIN ? agreeing + 1 : 1;
  }
  if (gain < MIN_GAIN) return { wide: false, reason: `wide ones are no faster here (${gain.toFixed(1)} ×)` };
  if (gain > MAX_GAIN) return { wide: false, reason: "the engine did not optimise both kinds in time" };
  const [narrow, wide] = [trial.result(false), trial.result(true)];
  if (narrow.some((value, i) => value !== wide[i])) return { wide: false, reason: "wide ones give other bits here" };
  return { wide: true, reason: `${gain.toFixed(1)} × as fast as narrow ones here` };
}

/** Shortest times of a run of each set, in turns for so many milliseconds, once at least. */
function burst(trial: Trial, clock: Clock, milliseconds: number): [narrow: number, wide: number] {
  const best: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const start = clock.now();
  let now = start;
  do {
    for (const wide of [0, 1] as const) {
      const before = now;
      trial.run(wide === 1);
      now = clock.now();
      best[wide] = Math.min(best[wide], now - before);
    }
  } while (now - start < milliseconds);
  return best;
}
