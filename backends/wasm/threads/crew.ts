/**
 * What runs inside the threads. These functions are also sent to workers as text, so they use nothing from outside
 * themselves but the globals of JavaScript; that spares every bundler a second entry point.
 *
 * The thread that runs a program publishes one call at a time in the control block, the first kilobyte of the linear
 * memory, and takes part in it; it waits for chunks that others took, never for a thread as such. A worker that the
 * system does not schedule delays no other.
 */

/** Slots of the control block, as i32; those that are written often lie on cache lines of their own. */
export const slots = {
  /** Number of the call (24 bits) and of its next chunk (8 bits): taking a chunk is one compare-and-exchange. */
  word: 0,
  /** Chunks of this call that are finished. */
  done: 16,
  /** Workers that sleep until `word` changes. */
  sleepers: 32,
  /** Messages sent to each worker so far; a worker that has handled fewer goes and reads them. */
  mail: 48,
  /** 1 when a kernel trapped. */
  failed: 49,
  /** Chunks that workers have done so far. */
  helped: 50,
  /** The call: number of the program and of its step; work items in all and in a chunk; chunks. */
  program: 64,
  step: 65,
  items: 66,
  chunk: 67,
  chunks: 68,
  /** What the system calls each worker's thread, from number 1 on; 0 where it is not known. */
  ids: 128,
} as const;

/** Numbers in the control block. */
export const CONTROL = 256;

/** Most chunks of a call: their number is an 8-bit part of `word`. */
export const MAX_CHUNKS = 255;

/** The export of a program's module: does part of the work items of a step. */
export type RunStep = (step: number, start: number, end: number) => void;

/** What a worker is told. */
export type Message =
  | {
      kind: "start";
      memory: WebAssembly.Memory;
      kernels: WebAssembly.Module;
      wide: number;
      slots: typeof slots;
      /** The worker's number, from 1 on. */
      thread: number;
    }
  | { kind: "load"; id: number; module: WebAssembly.Module; type: "i32" | "i64"; own: number | bigint }
  | { kind: "unload"; id: number };

/** Takes chunks of the call that `word` belongs to, until none is left. `run` gets the chunk's number. */
export function takeChunks(
  control: Int32Array,
  at: { word: number; done: number },
  word: number,
  chunks: number,
  run: (chunk: number) => void,
): void {
  let expected = word;
  while ((expected & 255) < chunks) {
    const found = Atomics.compareExchange(control, at.word, expected, expected + 1);
    if (found === expected) {
      run(expected & 255);
      Atomics.add(control, at.done, 1);
      expected++;
    } else if ((found ^ expected) >>> 8) {
      return; // this call is over
    } else {
      expected = found;
    }
  }
}

/** The life of a worker: reads messages, then serves calls until there is mail again. */
export function serve(takeChunksOf: typeof takeChunks, listen: (handle: (message: Message) => void) => void): void {
  // In milliseconds: longer than the steps that one thread does alone, and than the gap between two runs of a short
  // program. Waking a worker is a system call of the calling thread, of more than 100 µs where the machine is busy. But where
  // it is so busy that the calling thread waits for a core, spinning only keeps one from it. So spinning in vain halves the
  // next time, and a call that comes makes it four times as long.
  const SPIN = { least: 0.03, most: 1 };
  /** Looks between two at the clock; and milliseconds that they can take, unless the system has put this thread aside. */
  const LOOKS = 256;
  const LONGEST = 0.02;
  const programs = new Map<number, RunStep>();
  let handled = 0;
  let spin = SPIN.most;
  let at: typeof slots;
  let memory: WebAssembly.Memory;
  let control: Int32Array;
  let kernels: WebAssembly.ModuleImports;

  const work = (): void => {
    while (Atomics.load(control, at.mail) === handled) {
      const word = Atomics.load(control, at.word);
      // These may belong to the next call already; then no chunk of this one can be taken any more.
      const run = programs.get(control[at.program]);
      const step = control[at.step];
      const [items, chunk, chunks] = [control[at.items], control[at.chunk], control[at.chunks]];
      if (run)
        takeChunksOf(control, at, word, chunks, (index) => {
          try {
            Atomics.add(control, at.helped, 1);
            run(step, index * chunk, Math.min(items, (index + 1) * chunk));
          } catch {
            Atomics.store(control, at.failed, 1);
          }
        });
      const epoch = word >>> 8;
      let now = Atomics.load(control, at.word);
      let before = performance.now();
      let spun = 0;
      while (now >>> 8 === epoch && spun < spin) {
        for (let i = 0; i < LOOKS && now >>> 8 === epoch; i++) now = Atomics.load(control, at.word);
        const time = performance.now();
        spun += Math.min(time - before, LONGEST);
        before = time;
      }
      spin = now >>> 8 === epoch ? Math.max(spin / 2, SPIN.least) : Math.min(spin * 4, SPIN.most);
      if (now >>> 8 === epoch) {
        Atomics.add(control, at.sleepers, 1);
        Atomics.wait(control, at.word, now);
        Atomics.sub(control, at.sleepers, 1);
      }
    }
  };

  /** The number that Linux gives this thread: a thread that waits for its work can ask whether it is still there. */
  const ownId = (): number => {
    const { process } = globalThis as { process?: typeof import("node:process") };
    if (process?.platform !== "linux" || process.versions.deno) return 0;
    try {
      const link = process.getBuiltinModule("node:fs").readlinkSync("/proc/thread-self");
      return Number(link.slice(link.lastIndexOf("/") + 1));
    } catch {
      return 0;
    }
  };

  listen((message) => {
    handled++;
    if (message.kind === "start") {
      ({ memory, slots: at } = message);
      control = new Int32Array(memory.buffer, 0, 256);
      if (at.ids + message.thread < control.length) Atomics.store(control, at.ids + message.thread, ownId());
      const { exports } = new WebAssembly.Instance(message.kernels, { env: { memory, wide: message.wide } });
      kernels = exports as WebAssembly.ModuleImports;
    } else if (message.kind === "load") {
      const own = new WebAssembly.Global<"i32" | "i64">({ value: message.type }, message.own);
      const { exports } = new WebAssembly.Instance(message.module, {
        env: { memory, own },
        kernels,
        Math: Math as unknown as WebAssembly.ModuleImports,
      });
      programs.set(message.id, exports.run as RunStep);
    } else programs.delete(message.id);
    work();
  });
}
