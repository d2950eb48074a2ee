import { failure, type OnestepError } from "../../../core/errors.ts";
import { type HostWorker, type MakeWorker, startWorker } from "../../host/worker.ts";
import type { AddressType } from "../emit/module.ts";
import type { Kernels } from "../kernelModule.ts";
import type { LinearMemory } from "../linearMemory.ts";
import { CONTROL, MAX_CHUNKS, type Message, type RunStep, serve, slots, takeChunks } from "./crew.ts";
import type { Host } from "./host.ts";

/** A step of a program's module and how its work may be shared: see `Call` in kernel.ts. */
export interface Job {
  /** Number of the step in its module. */
  readonly step: number;
  readonly items: number;
  readonly grain: number;
}

/** A program as every thread has it. */
export interface LoadedProgram {
  readonly id: number;
  /** The export of this thread's instance. */
  readonly run: RunStep;
}

/** Chunks per thread: enough to even out threads of unequal luck, few enough to cost nothing. */
const CHUNKS_PER_THREAD = 8;
/** A chunk number that no call has. */
const CLOSED = 255;
/** Looks at `done` before the waiting thread lets others run. */
const SPINS = 20_000;
/** Looks between two at whether the threads are still there: about half a second of waiting. */
const LOOKS = 5_000;
/** Milliseconds of waiting in which no chunk is finished, after which a thread must be gone where that can't be asked. */
const LONGEST_CHUNK = 600_000;
/** Milliseconds that two such looks can lie apart, unless the system has put the whole process aside. */
const APART = 5_000;

/** The threads of a backend: this one and its workers, all on one linear memory. */
export class ThreadPool {
  /** Threads that take part, this one included. */
  readonly threads: number;
  readonly #host: Host;
  readonly #make: MakeWorker | undefined;
  #workers: HostWorker[] = [];
  #memory!: WebAssembly.Memory;
  #addresses!: AddressType;
  #kernels!: WebAssembly.Exports;
  #control!: Int32Array;
  #epoch = 0;
  #nextId = 0;
  #lost: OnestepError | undefined;
  #closed = false;

  /**
   * Without a shared memory there is one thread.
   * @param make see `WasmOptions.thread`
   */
  constructor(host: Host, threads: number, linear: LinearMemory, kernels: Kernels, make?: MakeWorker) {
    this.#host = host;
    this.#make = make;
    this.threads = linear.shared ? threads : 1;
    this.#start(linear, kernels);
  }

  #start({ memory, addresses }: LinearMemory, { module, wide }: Kernels): void {
    this.#memory = memory;
    this.#addresses = addresses;
    this.#control = new Int32Array(memory.buffer, 0, CONTROL);
    this.#kernels = new WebAssembly.Instance(module, { env: { memory, wide } }).exports;
    this.#workers = Array.from({ length: this.threads - 1 }, () =>
      startWorker(
        (port) => `(${serve})(${takeChunks}, ${port}.listen)`,
        { failed: (why) => this.#lose(why, memory) },
        this.#make,
      ),
    );
    this.#control.fill(0, slots.ids);
    this.#post((thread) => ({ kind: "start", memory, kernels: module, wide, slots, thread }));
  }

  /** A thread has ended that was not told to. */
  #lose(why: string, memory: WebAssembly.Memory): void {
    if (memory !== this.#memory || this.#closed) return;
    this.#lost ??= failure(
      "E_DEVICE_LOST",
      `Cannot go on with WebAssembly: the device was lost, a thread failed: ${why}`,
    );
  }

  #check(): void {
    if (this.#lost) throw this.#lost;
  }

  /** The memory that the threads compute on. */
  get memory(): WebAssembly.Memory {
    return this.#memory;
  }

  /** Goes on with another memory of `linear`, and with kernels for it. All programs must be loaded again. */
  follow(linear: LinearMemory, kernels: Kernels): void {
    const [workers, helped] = [this.#workers, this.chunksByWorkers];
    this.#start(linear, kernels);
    this.#control[slots.helped] = helped;
    // New ones have taken their place: an idle thread would hold the old memory for ever.
    for (const worker of workers) void worker.stop();
  }

  /** Chunks that were done by other threads than this one: shows that they work. */
  get chunksByWorkers(): number {
    return this.#control[slots.helped];
  }

  /** Gives all threads a program's module; `ownOf(thread)` is the address of a thread's own space. */
  load(module: WebAssembly.Module, ownOf: (thread: number) => number): LoadedProgram {
    this.#check();
    const id = this.#nextId++;
    const type = this.#addresses;
    const addressOf = (thread: number) => (type === "i64" ? BigInt(ownOf(thread)) : ownOf(thread));
    const { exports } = new WebAssembly.Instance(module, {
      env: { memory: this.#memory, own: new WebAssembly.Global<AddressType>({ value: type }, addressOf(0)) },
      kernels: this.#kernels as WebAssembly.ModuleImports,
      Math: Math as unknown as WebAssembly.ModuleImports,
    });
    this.#post((thread) => ({ kind: "load", id, module, type, own: addressOf(thread) }));
    return { id, run: exports.run as RunStep };
  }

  unload({ id }: LoadedProgram): void {
    this.#post({ kind: "unload", id });
  }

  #post(message: Message | ((thread: number) => Message)): void {
    if (!this.#workers.length) return;
    // Counted first: a worker that had handled more than were counted would wait for a message that never comes.
    Atomics.add(this.#control, slots.mail, 1);
    this.#workers.forEach((worker, i) => {
      worker.post(typeof message === "function" ? message(i + 1) : message);
    });
    // A call without chunks, so that no worker sleeps through it. The slots still hold the call before: no chunk of it
    // must be taken again.
    this.#publish(CLOSED);
  }

  /** Makes a new call known, whose slots are written already. */
  #publish(firstChunk = 0): void {
    Atomics.store(this.#control, slots.done, 0);
    this.#epoch = (this.#epoch + 1) & 0xffffff;
    Atomics.store(this.#control, slots.word, (this.#epoch << 8) | firstChunk);
    if (Atomics.load(this.#control, slots.sleepers) > 0) Atomics.notify(this.#control, slots.word);
  }

  /** Runs a step on as many threads as it is worth, and waits for it. @throws E_DEVICE_LOST when a thread has ended */
  run(program: LoadedProgram, { step, items, grain }: Job): void {
    this.#check();
    const wanted = this.#workers.length
      ? Math.min(Math.ceil(items / grain), this.threads * CHUNKS_PER_THREAD, MAX_CHUNKS)
      : 1;
    if (wanted < 2) {
      program.run(step, 0, items);
      return;
    }
    const control = this.#control;
    const chunk = Math.ceil(items / wanted);
    const chunks = Math.ceil(items / chunk);
    control[slots.program] = program.id;
    control[slots.step] = step;
    control[slots.items] = items;
    control[slots.chunk] = chunk;
    control[slots.chunks] = chunks;
    this.#publish();
    takeChunks(control, slots, this.#epoch << 8, chunks, (index) =>
      program.run(step, index * chunk, Math.min(items, (index + 1) * chunk)),
    );
    this.#awaitChunks(chunks);
    // Closed: the next call's slots are written before it is published, and a worker that still holds this call's word
    // must not take them for more chunks of it.
    Atomics.store(control, slots.word, (this.#epoch << 8) | CLOSED);
    if (Atomics.load(control, slots.failed))
      throw failure("E_KERNEL", `Cannot run step ${step} of a program: it trapped in a thread`);
  }

  /** @throws E_DEVICE_LOST when a thread has ended with a chunk */
  #awaitChunks(chunks: number): void {
    const control = this.#control;
    let stall: { readonly done: number; at: number; ms: number } | undefined;
    for (let spins = 0; ; spins++) {
      const done = Atomics.load(control, slots.done);
      if (done === chunks) return;
      if (spins <= SPINS) continue;
      // The system has put a thread with a chunk off its core: sleep a little instead of competing with it.
      if (this.#host.mayWait) Atomics.wait(control, slots.done, done, 0.05);
      if (spins % LOOKS > 0) continue;
      // What the runtime tells of an end can't be heard here.
      const now = performance.now();
      if (stall?.done !== done) stall = { done, at: now, ms: 0 };
      stall.ms += Math.min(now - stall.at, APART);
      stall.at = now;
      // A chunk that was finished meanwhile is seen before its thread is missed.
      if (this.#isThreadGone(stall.ms) && Atomics.load(control, slots.done) === done)
        this.#lose("it ended in the middle of a step", this.#memory);
      this.#check();
    }
  }

  #isThreadGone(stalled: number): boolean {
    const { hasThread } = this.#host;
    if (!hasThread) return stalled > LONGEST_CHUNK;
    const ids = this.#control.slice(slots.ids + 1, slots.ids + this.threads);
    return ids.some((id) => id !== 0 && !hasThread(id));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#workers.splice(0).map((worker) => worker.stop()));
  }
}
