/**
 * A self-contained function that may run in a worker: it uses nothing but its arguments and the globals of JavaScript, because
 * the worker gets it as source, which spares every bundler a second entry point. Arguments are copied; arrays that are members
 * of its result are handed over.
 */
export type Portable<A, R> = (argument: A) => R | Promise<R>;

/** A function that runs on another thread, where there is one. */
export interface Offloaded<A, R> {
  /** The function's result for an argument: the same bits, or the same error, on every thread. */
  run(argument: A): Promise<R>;
  /** Ends the thread. Runs that are open, and later ones, reject with E_DISPOSED. */
  dispose(): Promise<void>;
}

/** Takes work off the calling thread. For Node, Deno and browsers it is in `backends/host/offload.ts`. */
export type Offload = <A, R extends object>(task: Portable<A, R>) => Offloaded<A, R>;
