import { type ErrorCode, failure, OnestepError } from "../../errors.ts";
import type { HostArray } from "../../interfaces/backend.ts";
import { type Collective, localCollective, type SumOrder, textsOfRanks } from "../../interfaces/collective.ts";

/** An error in words, as one rank tells the others of it. */
interface ToldError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fix: string;
}

/** What became of a piece of work. */
type Outcome<T> = { readonly value: T } | { readonly error: ToldError };

/**
 * The processes that share a run, as the run sees them: rank 0 leads, which means that it owns the folder, decides, and tells the
 * others. Every method must be called by all ranks, in the same order.
 */
export class Ranks {
  readonly collective: Collective;
  /** In which order gradients are added up. */
  readonly order: SumOrder;
  /** Where this process runs, for messages: a host's name. */
  readonly place: string;
  /** Elements that are summed at a time, about; a parameter that is larger is summed alone. 2^20 of them are 4 MiB. */
  bucket: number = 2 ** 20;

  constructor(collective: Collective = localCollective, order: SumOrder = "fixed", place = "") {
    this.collective = collective;
    this.order = order;
    this.place = place;
  }

  get rank(): number {
    return this.collective.rank;
  }
  get size(): number {
    return this.collective.size;
  }
  /** Whether there are others. */
  get several(): boolean {
    return this.size > 1;
  }
  /** Whether this is the one that owns the folder of the run, and decides. */
  get leads(): boolean {
    return this.rank === 0;
  }

  /** The value of rank 0, which JSON can hold. */
  async told<T>(value: T): Promise<T> {
    if (!this.several) return value;
    const text = new TextEncoder().encode(this.leads ? JSON.stringify({ value }) : "");
    const length = Uint32Array.of(text.length);
    await this.collective.broadcast(new Uint8Array(length.buffer));
    const bytes = this.leads ? text : new Uint8Array(length[0]);
    await this.collective.broadcast(bytes);
    return this.leads ? value : (JSON.parse(new TextDecoder().decode(bytes)) as { value: T }).value;
  }

  /** What rank 0 has, which is nothing most of the time: a list that JSON can hold. */
  async anyTold<T>(list: readonly T[]): Promise<readonly T[]> {
    const some = Uint8Array.of(Math.min(list.length, 1));
    await this.collective.broadcast(some);
    return some[0] === 1 ? this.told(list) : [];
  }

  /** The values of all ranks in their order, which JSON can hold. */
  async all<T>(value: T): Promise<T[]> {
    if (!this.several) return [value];
    const texts = await textsOfRanks(this.collective, JSON.stringify({ value }));
    return texts.map((text) => (JSON.parse(text) as { value: T }).value);
  }

  /**
   * Work that rank 0 does for all, such as writing a file: all have its result, or its error, before any goes on. The result is one
   * that JSON can hold.
   */
  async led<T>(work: () => Promise<T>): Promise<T> {
    if (!this.several) return work();
    if (this.leads) {
      const result = await settled(work);
      await this.told<Outcome<T>>(result.outcome);
      if ("cause" in result) throw common(result.cause);
      return result.value;
    }
    const outcome = await this.told<Outcome<T>>({ value: undefined as T });
    if ("error" in outcome) throw common(again(outcome.error));
    return outcome.value;
  }

  /**
   * Work that every rank does for itself, without the others. When it fails on any rank, it fails on all, with the error of the first
   * of these ranks; what rank 0 says needs no name.
   */
  async together<T>(work: () => Promise<T>): Promise<T> {
    if (!this.several) return work();
    const result = await settled(work);
    const error = "cause" in result ? result.outcome.error : null;
    const told = await this.all({ error, place: this.place });
    const first = told.findIndex((each) => each.error !== null);
    if (first < 0) return (result as { value: T }).value;
    const cause = "cause" in result ? result.cause : undefined;
    if (first === this.rank && this.leads) throw common(cause);
    throw common(again(told[first].error!, first === 0 ? undefined : rankName(first, told[first].place), cause));
  }

  /** Gives all ranks the numbers of rank 0. */
  async share(numbers: HostArray): Promise<void> {
    if (!this.several) return;
    const { buffer, byteOffset, byteLength } = numbers;
    const isFloat = numbers instanceof Float32Array;
    await this.collective.broadcast(isFloat ? numbers : new Uint8Array(buffer, byteOffset, byteLength));
  }
}

/** Errors that all ranks of a run have. */
const commonErrors = new WeakSet<object>();

/** Notes that all ranks have this error, so that they can end together; returns it. */
export function common<E>(error: E): E {
  if (typeof error === "object" && error !== null) commonErrors.add(error);
  return error;
}

/** Whether all ranks have this error, or what it was made of. Where one has another, the rest wait elsewhere, and can only be ended. */
export const isCommon = (error: unknown): boolean =>
  error instanceof Error && (commonErrors.has(error) || isCommon(error.cause));

/** What a rank is called in messages. */
export const rankName = (rank: number, place: string): string => `rank ${rank}${place ? ` on ${place}` : ""}`;

/** One process alone. */
export const ALONE: Ranks = new Ranks();

type Settled<T> =
  | { readonly value: T; readonly outcome: { readonly value: T } }
  | { readonly cause: unknown; readonly outcome: { readonly error: ToldError } };

async function settled<T>(work: () => Promise<T>): Promise<Settled<T>> {
  try {
    const value = await work();
    return { value, outcome: { value } };
  } catch (cause) {
    return { cause, outcome: { error: inWords(cause) } };
  }
}

/** Errors without a code are faults of ours or of a library; the message is what there is to tell. */
function inWords(cause: unknown): ToldError {
  if (cause instanceof OnestepError) return { code: cause.code, message: cause.message, fix: cause.fix };
  const message = cause instanceof Error ? cause.message : String(cause);
  return { code: "E_RANKS", message, fix: "look at the output of that rank" };
}

function again({ code, message, fix }: ToldError, who?: string, cause?: unknown): OnestepError {
  return failure(code, who ? `${who}: ${message}` : message, { fix, ...(cause !== undefined && { cause }) });
}
