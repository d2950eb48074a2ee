import { type Bounds, type Collective, evenBounds, type SumOptions } from "../../core/interfaces/collective.ts";

type Values = Float32Array | Uint8Array;

/** What one rank brings to a meeting. */
interface Call {
  readonly kind: string;
  readonly values?: Values;
  readonly options?: unknown;
}

/** A meeting of all ranks: the n-th operation of each. */
interface Meeting {
  readonly calls: Map<number, Call>;
  readonly done: Promise<void>;
  settle(error?: Error): void;
}

/**
 * Ranks in one process, for tests: the operations of each meet those of the others at promises. Where ranks do not begin the same
 * operation with arrays of the same length, all of them hear of it; real ranks would hang, or mix up their data. With the order
 * `library` values are added from the last rank to the first, so that a test notices which order it asked for.
 */
export function ranksInOneProcess(size: number): Collective[] {
  const meetings = new Map<number, Meeting>();
  return Array.from({ length: size }, (_, rank) => {
    let next = 0;
    const meet = (kind: string, values?: Values, options?: object): Promise<void> => {
      const turn = next++;
      const meeting = meetings.get(turn) ?? newMeeting();
      meetings.set(turn, meeting);
      meeting.calls.set(rank, { kind, values, options });
      if (meeting.calls.size === size) {
        meetings.delete(turn);
        const calls = Array.from({ length: size }, (_, each) => meeting.calls.get(each)!);
        // Later, as with a real transport: who reads its array without awaiting finds what it has put there.
        queueMicrotask(() => meeting.settle(differenceOf(calls) ?? carryOut(calls)));
      }
      return meeting.done;
    };
    return {
      rank,
      size,
      localRank: rank,
      localSize: size,
      transport: "one process for all ranks",
      allReduce: (values, { order = "fixed" } = {}) => meet("allReduce", values, { order }),
      reduceScatter: (values, { order = "fixed", bounds = evenBounds(values.length, size) } = {}) =>
        meet("reduceScatter", values, { order, bounds }),
      allGather: (values, { bounds = evenBounds(values.length, size) } = {}) => meet("allGather", values, { bounds }),
      broadcast: (values, from = 0) => meet("broadcast", values, { from }),
      barrier: () => meet("barrier"),
    };
  });
}

/** The same work on every rank at once; what each of them returns. */
export const onRanks = <R>(size: number, work: (collective: Collective) => Promise<R>): Promise<R[]> =>
  Promise.all(ranksInOneProcess(size).map(work));

function newMeeting(): Meeting {
  let settle: Meeting["settle"] = () => {};
  const done = new Promise<void>((resolve, reject) => {
    settle = (error) => (error ? reject(error) : resolve());
  });
  return { calls: new Map(), done, settle };
}

/** In what the ranks are not at one. */
function differenceOf(calls: readonly Call[]): Error | undefined {
  const texts = calls.map(({ kind, values, options }) =>
    JSON.stringify([kind, values?.constructor.name, values?.length, options]),
  );
  const odd = texts.findIndex((text) => text !== texts[0]);
  return odd < 0 ? undefined : new Error(`ranks disagree: rank 0 calls ${texts[0]}, rank ${odd} ${texts[odd]}`);
}

function carryOut(calls: readonly Call[]): undefined {
  const [{ kind, options }] = calls;
  const { order, bounds, from } = (options ?? {}) as SumOptions & { bounds: Bounds; from: number };
  const arrays = calls.map(({ values }) => values!);
  if (kind === "barrier") return;
  if (kind === "broadcast") {
    for (const array of arrays) array.set(arrays[from]);
    return;
  }
  const sums = kind !== "allGather";
  const all = sums ? sumOf(order === "fixed" ? arrays : arrays.toReversed()) : arrays[0].slice();
  for (const [rank, array] of arrays.entries()) {
    if (!sums) all.set(array.subarray(bounds[rank], bounds[rank + 1]), bounds[rank]);
  }
  for (const [rank, array] of arrays.entries()) {
    if (kind !== "reduceScatter") {
      array.set(all);
      continue;
    }
    // What is not of its own share may hold anything.
    array.fill(Number.NaN);
    array.set(all.subarray(bounds[rank], bounds[rank + 1]), bounds[rank]);
  }
}

function sumOf(arrays: readonly Values[]): Values {
  const sum = arrays[0].slice();
  for (const array of arrays.slice(1)) for (let i = 0; i < sum.length; i++) sum[i] += array[i];
  return sum;
}
