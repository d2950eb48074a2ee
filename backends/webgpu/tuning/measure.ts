/** Milliseconds from submitting so many runs at once to their end. */
export type Timer = (runs: number) => Promise<number>;

/** The result of measuring one program. */
export interface Sample {
  readonly timer: Timer;
  /** Runs in one submit. */
  readonly runs: number;
  /** Milliseconds of the shortest submit. */
  least: number;
}

/** Submits shorter than this, in milliseconds, hold more runs: their beginning and end would be a part of the time. */
const ENOUGH = 20;
/** Most runs in one submit. */
const MOST_RUNS = 64;
const ROUNDS = 4;
/** Submits of no more than so many empty ones say nothing. */
const NOISE = 4;
/** Times as long as the best, and no further round is worth it. */
const HOPELESS = 3;
/** A variant has to be at least so much faster than the preferred one: measurements repeat to some percent. */
const GAIN = 0.95;

/** Finds how many runs a submit needs to say something. */
export async function calibrate(timer: Timer): Promise<Sample> {
  await timer(1); // The first touch of memory is dear.
  let runs = 1;
  let least = await timer(runs);
  while (least < ENOUGH && runs < MOST_RUNS) {
    const wanted = Math.ceil((runs * ENOUGH) / Math.max(least, ENOUGH / MOST_RUNS));
    runs = Math.min(MOST_RUNS, Math.max(2 * runs, wanted));
    least = await timer(runs);
  }
  return { timer, runs, least };
}

/** Milliseconds of one run; 0 when even many are lost in the noise. `empty`: milliseconds of a submit without work. */
export const perRun = ({ runs, least }: Sample, empty: number): number =>
  least < NOISE * empty ? 0 : Math.max(0, least - empty) / runs;

/**
 * Measures samples in turns, so that what else the machine does hits all alike. Those far from the best are measured no
 * further, except for the first: it is the one to beat.
 */
export async function compare(samples: readonly Sample[], empty: number): Promise<void> {
  const best = Math.min(...samples.map((sample) => perRun(sample, empty)));
  const close = samples.filter((sample, i) => i === 0 || perRun(sample, empty) <= HOPELESS * best);
  if (close.length < 2) return;
  for (let round = 0; round < ROUNDS; round++)
    for (const sample of close) sample.least = Math.min(sample.least, await sample.timer(sample.runs));
}

/** The fastest by name; the first, which is preferred, unless another is clearly faster. */
export function fastest(ms: ReadonlyMap<string, number>): string | undefined {
  const [first, ...others] = ms;
  if (!first) return undefined;
  let best = [first[0], first[1] * GAIN] as const;
  for (const each of others) if (each[1] < best[1]) best = each;
  return best[0];
}
