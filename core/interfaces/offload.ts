/**
 * A function that may run in a worker: it uses nothing from outside itself but the globals of JavaScript, because it is sent
 * there as text, which spares every bundler a second entry point. Arguments are copied; arrays that are members of its
 * result are handed over.
 */
export type Portable<A, R> = (argument: A) => R | Promise<R>;

/** A function that runs on another thread, where there is one. */
export interface Offloaded<A, R> {
  /** What the function makes of an argument: the same bits, or the same error, on whatever thread. */
  run(argument: A): Promise<R>;
  /** Ends the thread. Runs that are open, and later ones, reject with E_DISPOSED. */
  dispose(): Promise<void>;
}

/** Takes work off the calling thread. For Node, Deno and browsers it is in `backends/host/offload.ts`. */
export type Offload = <A, R extends object>(task: Portable<A, R>) => Offloaded<A, R>;
