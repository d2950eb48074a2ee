/** Whether what a long run holds is flat. */

/** What a process held after a step, in bytes. */
export interface MemorySample {
  readonly stage: string;
  readonly step: number;
  /** Since the process began. */
  readonly seconds: number;
  /** All buffers on the device, by the backend's own account. */
  readonly device: number;
  readonly rss: number;
  readonly heap: number;
  readonly external: number;
  readonly arrayBuffers: number;
  /** Open files, sockets and pipes: a number, not bytes. */
  readonly descriptors: number;
}

/** How one of them went. */
export interface Course {
  readonly name: Held;
  /** Median of the judged samples. */
  readonly level: number;
  /** What it rose by from the first to the last judged step, by the trend. */
  readonly rise: number;
  readonly most: number;
  readonly flat: boolean;
}

/** What is judged, and what of a window of samples is looked at. */
const held = {
  device: "all",
  rss: "median",
  heap: "median",
  external: "median",
  arrayBuffers: "median",
  descriptors: "least",
} as const;
type Held = keyof typeof held;

/** The part of the last stage that is left out: programs are compiled, caches and the heap fill. */
export const WARM_UP = 0.2;
const WINDOWS = 20;
const MIB = 2 ** 20;

/**
 * Judges the samples of the last stage but for its first fifth, in twenty windows of equal length.
 * - `device`: every sample is the same, to the byte.
 * - `descriptors`: the least of every fifth is the same. A file that is being written when a sample is taken is open
 *   then.
 * - memory of the process, after a collection of garbage but for `rss`: a robust line (Theil and Sen: the median of the
 *   slopes between any two windows) through the windows' medians rises, over the whole judged part, by no more than 5 % of
 *   the level or 1 MiB, whichever is more, and never by more than 16 MiB.
 * @throws when there are fewer than two samples a window
 */
export function judgeMemory(samples: readonly MemorySample[]): Course[] {
  const stage = samples.at(-1)?.stage;
  const ofStage = samples.filter((sample) => sample.stage === stage);
  const judged = ofStage.slice(Math.ceil(ofStage.length * WARM_UP));
  if (judged.length < 2 * WINDOWS)
    throw new Error(`${judged.length} samples are too few to judge, expected ${2 * WINDOWS} or more`);
  const windows = Array.from({ length: WINDOWS }, (_, i) =>
    judged.slice(Math.floor((i * judged.length) / WINDOWS), Math.floor(((i + 1) * judged.length) / WINDOWS)),
  );
  return (Object.keys(held) as Held[]).map((name) => {
    const all = judged.map((sample) => sample[name]);
    const level = median(all);
    const of = windows.map((window) => {
      const values = window.map((sample) => sample[name]);
      return held[name] === "median" ? median(values) : Math.min(...values);
    });
    const most = Math.max(...all);
    if (held[name] === "all")
      return { name, level, most, rise: most - Math.min(...all), flat: most === Math.min(...all) };
    // The middles of the first and the last window are one window less apart than the ends.
    const rise = slope(of) * WINDOWS;
    const flat =
      name === "descriptors"
        ? new Set(fifths(of).map((values) => Math.min(...values))).size === 1
        : rise <= Math.min(16 * MIB, Math.max(0.05 * level, MIB));
    return { name, level, most, rise, flat };
  });
}

const fifths = (values: readonly number[]): (readonly number[])[] =>
  Array.from({ length: 5 }, (_, i) => values.slice((i * values.length) / 5, ((i + 1) * values.length) / 5));

/** The median slope between any two of the values. */
function slope(values: readonly number[]): number {
  return median(values.flatMap((from, i) => values.slice(i + 1).map((to, j) => (to - from) / (j + 1))));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
