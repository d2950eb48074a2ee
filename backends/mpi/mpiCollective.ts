import { failure } from "../../core/errors.ts";
import { type Bounds, type Collective, evenBounds, type SumOptions } from "../../core/interfaces/collective.ts";
import type { Mpi } from "./mpi.ts";

/** What `MpiCollective` is told, rather than asks. */
export interface Place {
  readonly localRank: number;
  readonly localSize: number;
  readonly transport: string;
}

/** Elements of a call at most: MPI counts with an `int`, and libraries multiply by sizes in bytes. */
const MOST = 2 ** 28;
/** Elements of an array whose shares have places in it at most: places are an `int`. */
const LONGEST = 2 ** 31 - 1;
/**
 * Elements that are added up at a time in the fixed order. Within a host they stay in its caches: 40 MB took a third of the time of
 * MPI_Allreduce. Between hosts there are fewer of them, as each begins with waiting. Beyond 64 ranks there are more, so that none gets
 * a share of a few numbers. Each rank has room for twice as many beside its array.
 */
const SEGMENT = { withinHost: 2 ** 20, betweenHosts: 2 ** 22, ranks: 64 };
/** Up to so many elements are added on the calling thread: to ask another takes longer. */
const FEW = 4096;

/** The shares of the ranks in an array: `lengths[r]` elements from `begins[r]` are that of rank r. */
interface Shares {
  readonly values: Float32Array;
  readonly begins: Int32Array;
  readonly lengths: Int32Array;
}

/** An operation that was begun: MPI's handle, and arrays that it reads until it has ended. */
interface Request {
  readonly handle: Uint8Array;
  readonly uses: Int32Array[];
}

/** The ranks of a job of MPI. */
export class MpiCollective implements Collective {
  readonly rank: number;
  readonly size: number;
  readonly localRank: number;
  readonly localSize: number;
  readonly transport: string;
  readonly #mpi: Mpi;
  /** The last operation that was begun. A next one begins after it, or rejects as it did. */
  #last: Promise<void> = Promise.resolve();
  /** Room for what the ranks have sent, a row each; kept for the next sum. */
  #rows = new Float32Array(0);

  constructor(mpi: Mpi, { localRank, localSize, transport }: Place) {
    this.#mpi = mpi;
    this.rank = mpi.rank;
    this.size = mpi.size;
    this.localRank = localRank;
    this.localSize = localSize;
    this.transport = transport;
  }

  allReduce(values: Float32Array, { order = "fixed" }: SumOptions = {}): Promise<void> {
    if (order === "library") return this.#next(() => this.#reduceByLibrary(values));
    return this.#next(() => {
      const pieces = Array.from(piecesOf(values, this.#segment), (segment) => {
        const bounds = evenBounds(segment.length, this.size);
        return sharesOf(segment, bounds.slice(0, -1), lengthsOf(bounds));
      });
      return this.#addInOrder(pieces, true);
    });
  }

  reduceScatter(values: Float32Array, options: SumOptions & { readonly bounds?: Bounds } = {}): Promise<void> {
    const { order = "fixed", bounds = evenBounds(values.length, this.size) } = options;
    return this.#next(async () => {
      checkLength(values);
      if (order === "library") return this.#scatterByLibrary(values, bounds);
      // A slice of every share at a time.
      const slice = Math.ceil(this.#segment / this.size);
      const lengths = lengthsOf(bounds);
      const pieces: Shares[] = [];
      for (let done = 0; done < Math.max(...lengths); done += slice) {
        const left = lengths.map((length) => Math.max(0, Math.min(slice, length - done)));
        const begins = left.map((length, rank) => (length > 0 ? bounds[rank] + done : 0));
        pieces.push(sharesOf(values, begins, left));
      }
      await this.#addInOrder(pieces, false);
    });
  }

  allGather(values: Float32Array | Uint8Array, options: { readonly bounds?: Bounds } = {}): Promise<void> {
    const { bounds = evenBounds(values.length, this.size) } = options;
    return this.#next(() => {
      checkLength(values);
      return this.#gather(values, bounds);
    });
  }

  broadcast(values: Float32Array | Uint8Array, from = 0): Promise<void> {
    return this.#next(async () => {
      for (const piece of piecesOf(values, MOST))
        await this.#mpi.begin("MPI_Bcast", piece, piece.length, this.#typeOf(piece), from, this.#mpi.abi.world);
    });
  }

  barrier(): Promise<void> {
    return this.#next(() => this.#mpi.begin("MPI_Barrier", this.#mpi.abi.world));
  }

  /** Ends all ranks at once, whatever they are doing; the job ends with this status. */
  abort(status: number): void {
    this.#mpi.call("MPI_Abort", this.#mpi.abi.world, status);
  }

  /** Leaves the other ranks, after the operations that were begun. All ranks close; nothing can be begun afterwards. */
  async close(): Promise<void> {
    // So that nobody has to wait in the next call, which lets no event happen.
    await this.barrier();
    this.#last = Promise.reject(failure("E_DISPOSED", "Cannot exchange data: the ranks have parted, should be joined"));
    this.#last.catch(() => {});
    this.#mpi.call("MPI_Finalize");
  }

  #next(operation: () => Promise<void>): Promise<void> {
    const next = this.#last.then(operation);
    this.#last = next;
    // Who awaits it hears of a fault; nobody may, where one more was begun after it.
    next.catch(() => {});
    return next;
  }

  async #reduceByLibrary(values: Float32Array): Promise<void> {
    const { inPlace, float, sum, world } = this.#mpi.abi;
    for (const piece of piecesOf(values, MOST))
      await this.#mpi.begin("MPI_Allreduce", inPlace, piece, piece.length, float, sum, world);
  }

  async #scatterByLibrary(values: Float32Array, bounds: Bounds): Promise<void> {
    const { float, sum, world } = this.#mpi.abi;
    const lengths = Int32Array.from(lengthsOf(bounds));
    // In place MPI would put every share at the beginning of the array, and MPICH 4.0 ends the job where it lay across that place.
    const total = this.#room(lengths[this.rank]);
    await this.#mpi.begin("MPI_Reduce_scatter", values, total, lengths, float, sum, world);
    values.set(total, bounds[this.rank]);
  }

  /** So many elements beside the arrays, until the next operation. */
  #room(length: number): Float32Array {
    if (this.#rows.length < length) this.#rows = new Float32Array(new ArrayBuffer(4 * length));
    return this.#rows.subarray(0, length);
  }

  /**
   * Puts the sum of this rank's share of each piece, added in rank order, in its place, and gathers the shares of all where asked to.
   * While one piece is added up the next one is exchanged and the one before is gathered: a network is never idle.
   */
  async #addInOrder(pieces: readonly Shares[], gathers: boolean): Promise<void> {
    const most = this.size * Math.max(0, ...pieces.map(({ lengths }) => lengths[this.rank]));
    const room = this.#room(2 * most);
    const exchange = (at: number) =>
      at < pieces.length ? this.#exchange(pieces[at], room.subarray((at % 2) * most)) : undefined;
    let gathering: Request | undefined;
    for (let at = 0, current = exchange(0); current; at++) {
      const next = exchange(at + 1);
      await this.#wait(current);
      await this.#addRows(pieces[at], current.rows);
      if (gathering) await this.#wait(gathering);
      gathering = gathers ? this.#beginGather(pieces[at]) : undefined;
      current = next;
    }
    if (gathering) await this.#wait(gathering);
  }

  /** Begins to send each rank its share, and to take what the others have of this rank's into rows, one of each rank. */
  #exchange({ values, begins, lengths }: Shares, rows: Float32Array): Request & { readonly rows: Float32Array } {
    const { float, world } = this.#mpi.abi;
    const own = lengths[this.rank];
    const to = Array.from({ length: this.size }, (_, each) => each * own);
    const [got, places] = [integers(to.map(() => own)), integers(to)];
    const handle = newHandle();
    this.#mpi.call("MPI_Ialltoallv", values, lengths, begins, float, rows, got, places, float, world, handle);
    return { handle, uses: [got, places], rows };
  }

  /** Adds up the rows of this rank's share, in their order, and puts the sum in its place. */
  async #addRows({ values, begins, lengths }: Shares, rows: Float32Array): Promise<void> {
    const { float, sum } = this.#mpi.abi;
    const own = lengths[this.rank];
    const total = rows.subarray(0, own);
    for (let each = 1; each < this.size && own > 0; each++) {
      const row = rows.subarray(each * own, (each + 1) * own);
      if (own > FEW) await this.#mpi.begin("MPI_Reduce_local", row, total, own, float, sum);
      else this.#mpi.call("MPI_Reduce_local", row, total, own, float, sum);
    }
    values.set(total, begins[this.rank]);
  }

  #beginGather({ values, begins, lengths }: Shares): Request {
    const { inPlace, noType, float, world } = this.#mpi.abi;
    const handle = newHandle();
    this.#mpi.call("MPI_Iallgatherv", inPlace, 0, noType, values, lengths, begins, float, world, handle);
    return { handle, uses: [] };
  }

  /** Waits on another thread until an operation that was begun has ended. */
  async #wait({ handle, uses }: Request): Promise<void> {
    await this.#mpi.begin("MPI_Wait", handle, this.#mpi.abi.noStatus);
    uses.length = 0; // needed until here
  }

  #gather(values: Float32Array | Uint8Array, bounds: Bounds): Promise<void> {
    const { inPlace, noType, world } = this.#mpi.abi;
    const [lengths, begins] = [Int32Array.from(lengthsOf(bounds)), Int32Array.from(bounds.slice(0, -1))];
    const type = this.#typeOf(values);
    return this.#mpi.begin("MPI_Allgatherv", inPlace, 0, noType, values, lengths, begins, type, world);
  }

  #typeOf(values: Float32Array | Uint8Array): bigint {
    return values instanceof Float32Array ? this.#mpi.abi.float : this.#mpi.abi.byte;
  }

  get #segment(): number {
    const { withinHost, betweenHosts, ranks } = SEGMENT;
    return (this.localSize === this.size ? withinHost : betweenHosts) * Math.max(1, Math.ceil(this.size / ranks));
  }
}

const lengthsOf = (bounds: Bounds): number[] => bounds.slice(1).map((end, rank) => end - bounds[rank]);

// Arrays of a few bytes lie where the collector of garbage moves them, unless their buffer has been made or asked for. What MPI uses
// after a call has returned must stay where it is.

const integers = (values: readonly number[]): Int32Array => {
  const list = new Int32Array(new ArrayBuffer(4 * values.length));
  list.set(values);
  return list;
};

/** Room for a handle, of the size of an address at most. */
const newHandle = (): Uint8Array => new Uint8Array(new ArrayBuffer(8));

const sharesOf = (values: Float32Array, begins: readonly number[], lengths: readonly number[]): Shares => ({
  values: values.subarray(), // asks for its buffer
  begins: integers(begins),
  lengths: integers(lengths),
});

/** An array in pieces of so many elements at most. */
function* piecesOf<A extends Float32Array | Uint8Array>(values: A, most: number): Generator<A> {
  for (let begin = 0; begin < values.length; begin += most)
    yield values.subarray(begin, Math.min(begin + most, values.length)) as A;
}

function checkLength({ length }: Float32Array | Uint8Array): void {
  if (length > LONGEST)
    throw failure("E_MPI", `Cannot share an array of ${length} elements: MPI counts up to ${LONGEST}, should be fewer`);
}
