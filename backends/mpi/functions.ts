/**
 * What a parameter of a C function is: an `int`; a `word` of the size of an address, for handles and for what stands in place of a
 * buffer; an `array`, whose first element's address is passed.
 */
export type Kind = "int" | "word" | "array";

/** The functions of MPI that are called. All return an int: 0, or the number of an error. */
export const functions = {
  MPI_Get_library_version: ["array", "array"],
  MPI_Init_thread: ["word", "word", "int", "array"],
  MPI_Finalize: [],
  MPI_Abort: ["word", "int"],
  MPI_Comm_rank: ["word", "array"],
  MPI_Comm_size: ["word", "array"],
  MPI_Comm_set_errhandler: ["word", "word"],
  MPI_Error_string: ["int", "array", "array"],
  MPI_Get_processor_name: ["array", "array"],
  MPI_Barrier: ["word"],
  MPI_Bcast: ["array", "int", "word", "int", "word"],
  MPI_Allreduce: ["word", "array", "int", "word", "word", "word"],
  MPI_Reduce_scatter: ["array", "array", "array", "word", "word", "word"],
  MPI_Allgatherv: ["word", "int", "word", "array", "array", "array", "word", "word"],
  MPI_Ialltoallv: ["array", "array", "array", "word", "array", "array", "array", "word", "word", "array"],
  MPI_Iallgatherv: ["word", "int", "word", "array", "array", "array", "word", "word", "array"],
  MPI_Wait: ["array", "word"],
  MPI_Reduce_local: ["array", "array", "int", "word", "word"],
} as const satisfies Record<string, readonly Kind[]>;

export type FunctionName = keyof typeof functions;
export type Argument = number | bigint | ArrayBufferView;

/** A library that is loaded. */
export interface NativeLibrary {
  /** Calls a function and waits for it. */
  call(name: FunctionName, ...values: Argument[]): number;
  /** Calls a function on another thread. Arrays must be left alone until it has returned. */
  begin(name: FunctionName, ...values: Argument[]): Promise<number>;
  /** Where a variable of the library lies. */
  addressOf(symbol: string): bigint;
  unload(): void;
}

/** Loads a library by its name, as the system looks for it, or by its path. Throws an Error with the system's words. */
export type Load = (name: string, visibility: "local" | "global") => NativeLibrary;
