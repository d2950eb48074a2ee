import type { Memory, OnState } from "../../interfaces/backend.ts";
import type { Ranks } from "./ranks.ts";

/** A state in which a rank gathers its parts of a batch: a flat gradient, or the readings of a role. */
export interface GatheredState {
  readonly name: string;
  /** Elements. */
  readonly size: number;
}

/** Some states, side by side in one array. */
interface Bucket {
  readonly states: readonly GatheredState[];
  /** Elements of all of them. */
  readonly size: number;
}

/** Computes a part, and tells of the states in which it is gathered, in their order, where the device can. */
type Part = (onState: OnState) => Promise<void>;

/**
 * Sums over ranks what each has gathered of a batch, in packed arrays. In the order `fixed` this happens part by part: in every
 * round, a rank has one part at most, and the sum goes on from that of the round before, `(((0 + p0) + p1) + p2) + …`; so any number of
 * ranks has the bits of one process that gathers as many parts. What a device has told of is on its way while the rest of the part is
 * computed, and the sum of a round while the next part is.
 */
export class GradientSum {
  readonly #ranks: Ranks;
  readonly #memory: Memory;
  /** In the order in which their states are done. The readings, which are in the last, tell whether any rank has failed. */
  readonly #buckets: readonly Bucket[];
  /** The sums so far, bucket by bucket. An array belongs to the transport until its promise is kept. */
  #sums: Promise<Float32Array>[] | undefined;
  /** Why this rank has nothing to add any more. */
  #failure: { readonly cause: unknown } | undefined;

  /** @param states in the order in which a part is done with them, the readings last */
  constructor(ranks: Ranks, memory: Memory, states: readonly GatheredState[]) {
    this.#ranks = ranks;
    this.#memory = memory;
    this.#buckets = inBuckets(states, ranks.bucket);
  }

  /**
   * Computes this rank's part of a round, and begins to add what the states hold then. Resolves when they may change again. A part
   * that can't be computed counts as nothing: `finish` tells.
   * @param part absent where the rank has none in this round
   */
  async add(part?: Part): Promise<void> {
    const before = this.#sums;
    this.#sums = [];
    const done = new Set<string>();
    const last = this.#buckets.length - 1;
    await this.#attempt(() =>
      part?.(async (state) => {
        done.add(state);
        // The last one waits for the end of the part, which may still fail.
        while (
          this.#sums!.length < last &&
          this.#buckets[this.#sums!.length].states.every(({ name }) => done.has(name))
        )
          await this.#begin(part !== undefined, before);
      }),
    );
    while (this.#sums.length <= last) await this.#begin(part !== undefined, before);
  }

  /** Begins to sum the next bucket. */
  async #begin(holds: boolean, before: Promise<Float32Array>[] | undefined): Promise<void> {
    const i = this.#sums!.length;
    const bucket = this.#buckets[i];
    const values = new Float32Array(bucket.size + 1);
    if (holds) await this.#attempt(() => this.#fill(values, bucket));
    const sum = before && (await before[i]);
    if (this.#failure) values.fill(0).fill(1, bucket.size);
    // The sum of a round comes first in the next one.
    else if (sum && this.#ranks.leads) for (let k = 0; k < values.length; k++) values[k] += sum[k];
    const { collective, order } = this.#ranks;
    const done = collective.allReduce(values, { order }).then(() => values);
    // Who awaits it hears of it.
    done.catch(() => {});
    this.#sums!.push(done);
  }

  /**
   * Puts the sums into the states.
   * @throws on all ranks what has failed on one; nothing is changed then but the states that gather
   */
  async finish(): Promise<void> {
    const sums = await Promise.all(this.#sums ?? []);
    const failure = this.#failure;
    this.#sums = undefined;
    this.#failure = undefined;
    if (sums.some((sum) => sum[sum.length - 1] !== 0))
      await this.#ranks.together(async () => {
        if (failure) throw failure.cause;
      });
    for (const [i, { states }] of this.#buckets.entries()) {
      let first = 0;
      for (const { name, size } of states) {
        this.#memory.write(name, sums[i].subarray(first, first + size));
        first += size;
      }
    }
  }

  async #attempt(work: () => Promise<void> | undefined): Promise<void> {
    if (this.#failure) return;
    try {
      await work();
    } catch (cause) {
      this.#failure = { cause };
    }
  }

  async #fill(values: Float32Array, { states }: Bucket): Promise<void> {
    let first = 0;
    for (const { name, size } of states) {
      values.set((await this.#memory.read(name)) as Float32Array, first);
      first += size;
    }
  }
}

/** The last of the states, which are few numbers, goes with those before it: one sum less to wait for. */
function inBuckets(states: readonly GatheredState[], most: number): Bucket[] {
  const buckets: { states: GatheredState[]; size: number }[] = [];
  for (const state of states) {
    const last = buckets.at(-1);
    if (last && (last.size + state.size <= most || state === states.at(-1))) {
      last.states.push(state);
      last.size += state.size;
    } else buckets.push({ states: [state], size: state.size });
  }
  return buckets;
}
