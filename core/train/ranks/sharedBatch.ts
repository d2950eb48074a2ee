import { OnestepError } from "../../errors.ts";
import type { Memory, OnState } from "../../interfaces/backend.ts";
import type { Moment } from "../update/leftOut.ts";
import { type GatheredState, GradientSum } from "./gradientSum.ts";
import { common, isCommon, type Ranks } from "./ranks.ts";

/** The parts of a batch that a rank computes, one in each round: r, r + N, r + 2 N, … */
export const partsOf = (rank: number, size: number, parts: number): readonly number[] =>
  Array.from({ length: Math.ceil((parts - rank) / size) }, (_, round) => rank + round * size);

/** Computes one of this rank's parts; `keeps` says whether it adds to what is gathered already. */
export type ComputePart = (round: number, keeps: boolean, onState?: OnState) => Promise<void>;

/** A batch in parts, of which every rank computes its own. */
export class SharedBatch {
  /** The parts that are computed here, in order. */
  readonly own: readonly number[];
  readonly #ranks: Ranks;
  readonly #memory: Memory;
  readonly #parts: number;

  constructor(ranks: Ranks, memory: Memory, parts: number) {
    this.own = partsOf(ranks.rank, ranks.size, parts);
    this.#ranks = ranks;
    this.#memory = memory;
    this.#parts = parts;
  }

  /** Puts the images that turns of a step keep, of which every rank has the rows of its parts, together on all ranks. */
  async gatherImages(states: readonly { readonly name: string; readonly length: number }[]): Promise<void> {
    const { collective, several } = this.#ranks;
    if (!several) return;
    for (const { name, length } of states) {
      const numbers = await this.#memory.read(name);
      const size = length / this.#parts;
      // Labels are small numbers, which a float holds as they are.
      const own = new Float32Array(length);
      for (const part of this.own) own.set(numbers.subarray(part * size, (part + 1) * size), part * size);
      await collective.allReduce(own, { order: "fixed" });
      this.#memory.write(name, numbers instanceof Int32Array ? Int32Array.from(own) : own);
    }
  }

  /**
   * Gathers a batch in these states, which then hold the same sums on all ranks.
   * @throws RankFailure on all ranks where a part can't be computed on one
   */
  async gather(states: readonly GatheredState[], at: Moment, compute: ComputePart): Promise<void> {
    const ranks = this.#ranks;
    const own = this.own.length;
    // What the last part adds is the sum.
    const parts = async (onState?: OnState) => {
      for (let round = 0; round < own; round++)
        await compute(round, round > 0, round === own - 1 ? onState : undefined);
    };
    if (!ranks.several) return parts();
    const sum = new GradientSum(ranks, this.#memory, states);
    if (ranks.order === "library") await sum.add(parts);
    else {
      const rounds = Math.ceil(this.#parts / ranks.size);
      for (let round = 0; round < rounds; round++)
        await sum.add(round < own ? (onState) => compute(round, false, onState) : undefined);
    }
    try {
      await sum.finish();
    } catch (error) {
      throw isCommon(error) && error instanceof OnestepError ? common(new RankFailure(error, at)) : error;
    }
  }
}

/** An update that a rank could not compute its part of: no rank has changed a state, so a run can go on from before it. */
export class RankFailure extends OnestepError {
  override name = "RankFailure";
  readonly at: Moment;
  constructor(cause: OnestepError, { step, place }: Moment) {
    super(cause.code, cause.message, { cause, fix: cause.fix });
    this.at = { step, place };
  }
}
