import { failure } from "../../core/errors.ts";
import { type Abi, abiOf, type Family } from "./abi.ts";
import type { Argument, FunctionName, NativeLibrary } from "./functions.ts";

/** `MPI_THREAD_MULTIPLE`, which is asked for, and `MPI_THREAD_SERIALIZED`, which is enough: one call at a time, from any thread. */
const THREADS = { multiple: 3, serialized: 2 } as const;

const LONGEST_TEXT = 1024;

/** An MPI library that is loaded: its functions, with their errors as E_MPI. */
export class Mpi {
  readonly #library: NativeLibrary;
  readonly abi: Abi;

  constructor(library: NativeLibrary, family: Family) {
    this.#library = library;
    this.abi = abiOf(library, family);
  }

  /** Joins the other ranks, on the thread that will leave them. Threads may call from then on; errors are returned. */
  initialise(): void {
    const level = new Int32Array(1);
    this.call("MPI_Init_thread", 0, 0, THREADS.multiple, level);
    this.call("MPI_Comm_set_errhandler", this.abi.world, this.abi.errorsReturn);
    if (level[0] >= THREADS.serialized) return;
    const names = ["MPI_THREAD_SINGLE", "MPI_THREAD_FUNNELED"];
    const what = `the library lets only one thread call it (${names[level[0]] ?? level[0]})`;
    throw failure("E_MPI", `Cannot join the other ranks: ${what}, should give MPI_THREAD_SERIALIZED or more`, {
      fix: "use a libmpi that was built with threads; for MVAPICH set MV2_ENABLE_AFFINITY=0",
    });
  }

  get rank(): number {
    return this.#number("MPI_Comm_rank");
  }
  get size(): number {
    return this.#number("MPI_Comm_size");
  }
  /** The name of this host. */
  get host(): string {
    return this.#text("MPI_Get_processor_name");
  }

  /** Calls a function and waits for it. */
  call(name: FunctionName, ...values: Argument[]): void {
    const status = this.#library.call(name, ...values);
    if (status !== 0) throw this.#error(name, status);
  }

  /** Calls a function on another thread. */
  async begin(name: FunctionName, ...values: Argument[]): Promise<void> {
    const status = await this.#library.begin(name, ...values);
    if (status !== 0) throw this.#error(name, status);
  }

  #number(name: "MPI_Comm_rank" | "MPI_Comm_size"): number {
    const value = new Int32Array(1);
    this.call(name, this.abi.world, value);
    return value[0];
  }

  #text(name: "MPI_Get_processor_name" | "MPI_Error_string", ...values: Argument[]): string {
    const bytes = new Uint8Array(LONGEST_TEXT);
    const length = new Int32Array(1);
    const status = this.#library.call(name, ...values, bytes, length);
    return status === 0 ? new TextDecoder().decode(bytes.subarray(0, length[0])) : "";
  }

  #error(name: FunctionName, status: number) {
    const why = this.#text("MPI_Error_string", status) || `error ${status}`;
    return failure("E_MPI", `Cannot exchange data with the other ranks: ${name} gave ${why}, should succeed`, {
      fix: "look for the rank that ended first; start again with --resume, which goes on from the last checkpoint",
    });
  }
}
