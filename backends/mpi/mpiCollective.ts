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
 * a share of a few numbers. Each rank has room for so many beside its array.
 */
const SEGMENT = { withinHost: 2 ** 20, betweenHosts: 2 ** 22, ranks: 64 };
/** Up to so many elements are added on the calling thread: to ask another takes longer. */
const FEW = 4096;

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
    return this.#next(async () => {
      for (const segment of piecesOf(values, this.#segment)) {
        const bounds = evenBounds(segment.length, this.size);
        await this.#addShares(segment, bounds.slice(0, -1), lengthsOf(bounds));
        await this.#gather(segment, bounds);
      }
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
      for (let done = 0; done < Math.max(...lengths); done += slice) {
        const left = lengths.map((length) => Math.max(0, Math.min(slice, length - done)));
        const begins = left.map((length, rank) => (length > 0 ? bounds[rank] + done : 0));
        await this.#addShares(values, begins, left);
      }
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
    if (this.#rows.length < length) this.#rows = new Float32Array(length);
    return this.#rows.subarray(0, length);
  }

  /** Puts the sum of this rank's share, added in rank order, in its place. `lengths[r]` elements from `begins[r]` are the share of r. */
  async #addShares(values: Float32Array, begins: readonly number[], lengths: readonly number[]): Promise<void> {
    const { rank, size } = this;
    const { float, sum, world } = this.#mpi.abi;
    const own = lengths[rank];
    const rows = this.#room(own * size);
    const [sent, from] = [Int32Array.from(lengths), Int32Array.from(begins)];
    const [got, to] = [new Int32Array(size).fill(own), Int32Array.from({ length: size }, (_, each) => each * own)];
    await this.#mpi.begin("MPI_Alltoallv", values, sent, from, float, rows, got, to, float, world);
    const total = rows.subarray(0, own);
    for (let each = 1; each < size && own > 0; each++) {
      const row = rows.subarray(each * own, (each + 1) * own);
      if (own > FEW) await this.#mpi.begin("MPI_Reduce_local", row, total, own, float, sum);
      else this.#mpi.call("MPI_Reduce_local", row, total, own, float, sum);
    }
    values.set(total, begins[rank]);
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

/** An array in pieces of so many elements at most. */
function* piecesOf<A extends Float32Array | Uint8Array>(values: A, most: number): Generator<A> {
  for (let begin = 0; begin < values.length; begin += most)
    yield values.subarray(begin, Math.min(begin + most, values.length)) as A;
}

function checkLength({ length }: Float32Array | Uint8Array): void {
  if (length > LONGEST)
    throw failure("E_MPI", `Cannot share an array of ${length} elements: MPI counts up to ${LONGEST}, should be fewer`);
}
