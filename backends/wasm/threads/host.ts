/** What a JavaScript runtime offers in the way of threads. */
export interface Host {
  /** Name of the processor, as far as the runtime tells. */
  readonly processor: string;
  /** Threads that can run at the same time: those of the machine, or what a container allows. */
  readonly cores: number;
  /** Bytes of memory that the machine, or a container, has left for this process, if the runtime tells. */
  readonly memory?: number;
  /** Whether the calling thread may sleep. */
  readonly mayWait: boolean;
  /** Whether this process has a thread that the system calls so, if the runtime can tell. */
  hasThread?(id: number): boolean;
  /** Switches relaxed SIMD on where the engine has it behind a flag. */
  allowRelaxedSimd(): void;
  /**
   * Whether the engine may make registers of 256 bits of pairs of vectors, for wide tiles: undefined, else why not. Only
   * where it `mayAsk`, it asks for it, and that changes the whole process.
   */
  joinVectors(mayAsk: boolean): string | undefined;
}
