import type { Resolver } from "../di/resolver.ts";
import { type Token, token } from "../di/token.ts";

/**
 * In which order the values of the ranks are added.
 *
 * - `fixed`: in rank order, `((v0 + v1) + v2) + …`, each sum rounded to float32. So N ranks get the bits of one process that adds up
 *   N parts of a batch, whatever the length of the array, the machine, and the library.
 * - `library`: as the library likes. It may change with the number of ranks, the length of the array (Open MPI 4.1: at about 1,000
 *   and again at 65,536 numbers), the version and the network; the same call gives all ranks the same bits.
 */
export type SumOrder = "fixed" | "library";

/** How values of several ranks are added. */
export interface SumOptions {
  /** `fixed` where absent. */
  readonly order?: SumOrder;
}

/** Where the shares of the ranks begin: rank r has the elements from `bounds[r]` up to `bounds[r + 1]`. N + 1 ascending numbers. */
export type Bounds = readonly number[];

/**
 * Processes that compute together, each of which has a number, its rank.
 *
 * Operations work in place. Those of one rank are carried out one after the other, in the order in which they were begun, and a
 * next one may be begun before the last one has ended. All ranks must begin the same operations in the same order, with arrays of the
 * same length and the same options. Until an operation has ended its array belongs to it: it must not be read, written or detached,
 * as a WebAssembly memory detaches its arrays when it grows. An array may be a view of a larger one or of shared memory.
 *
 * An operation rejects with E_MPI where it cannot be carried out; no later one can be then.
 */
export interface Collective {
  /** Of this process, from 0. */
  readonly rank: number;
  /** How many processes there are. */
  readonly size: number;
  /** Among the ranks on this host, from 0: which of its devices this process takes. */
  readonly localRank: number;
  /** How many ranks there are on this host. */
  readonly localSize: number;
  /** What carries the data, for people: `one process`, `Open MPI v4.1.4`. */
  readonly transport: string;
  /** Puts the sum over all ranks into the array of each. All ranks get the same bits. */
  allReduce(values: Float32Array, options?: SumOptions): Promise<void>;
  /**
   * Puts the sum over all ranks of a share of the array into the array of the rank whose share it is. What the other elements are
   * afterwards is not said. Shares are as even as can be (`evenBounds`) where `bounds` is absent.
   */
  reduceScatter(values: Float32Array, options?: SumOptions & { readonly bounds?: Bounds }): Promise<void>;
  /** Every rank gives its share of the array and gets those of the others. `bounds` count elements, as in `reduceScatter`. */
  allGather(values: Float32Array | Uint8Array, options?: { readonly bounds?: Bounds }): Promise<void>;
  /** Every rank gets the array of one rank: of 0 where `from` is absent. */
  broadcast(values: Float32Array | Uint8Array, from?: number): Promise<void>;
  /** Waits until all ranks are there. */
  barrier(): Promise<void>;
}

/** The processes of the run; absent where it has one. */
export const COLLECTIVE: Token<Collective> = token<Collective>("collective");

/** The bounds of shares as even as can be: of `length` elements, rank r begins at ⌊r · length / size⌋. */
export const evenBounds = (length: number, size: number): Bounds =>
  Array.from({ length: size + 1 }, (_, rank) => Math.floor((rank * length) / size));

const nothing = async () => {};

/** One process, which has nothing to share. */
export const localCollective: Collective = Object.freeze({
  rank: 0,
  size: 1,
  localRank: 0,
  localSize: 1,
  transport: "one process",
  allReduce: nothing,
  reduceScatter: nothing,
  allGather: nothing,
  broadcast: nothing,
  barrier: nothing,
});

/** The processes that a run is spread over: this one alone, where nothing else is said. */
export const collectiveOf = (container: Resolver): Collective =>
  container.has(COLLECTIVE) ? container.get(COLLECTIVE) : localCollective;

/** What each rank says, in rank order. All ranks ask at once. Texts may differ in length. */
export async function textsOfRanks(collective: Collective, text: string): Promise<string[]> {
  const { rank, size } = collective;
  const bytes = new TextEncoder().encode(text);
  const lengths = new Uint32Array(size);
  lengths[rank] = bytes.length;
  await collective.allGather(new Uint8Array(lengths.buffer));
  const bounds = [0];
  for (const length of lengths) bounds.push(bounds[bounds.length - 1] + length);
  const all = new Uint8Array(bounds[size]);
  all.set(bytes, bounds[rank]);
  await collective.allGather(all, { bounds });
  return Array.from(lengths, (_, each) => new TextDecoder().decode(all.subarray(bounds[each], bounds[each + 1])));
}
