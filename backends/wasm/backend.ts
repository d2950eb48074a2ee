import { invariant } from "../../core/errors.ts";
import type { Program } from "../../core/graph/program.ts";
import { ScratchPool } from "../../core/graph/scratchPool.ts";
import type { Backend, DeviceInfo, Footprint, Memory } from "../../core/interfaces/backend.ts";
import { boolean, callback, checkOptions, choice, number, type Rule } from "../../core/plugin/mod.ts";
import type { MakeWorker } from "../host/worker.ts";
import type { AddressType } from "./emit/module.ts";
import { type Surroundings, WasmExecutable } from "./executable.ts";
import { footprintOf } from "./footprint.ts";
import { checkSimd, compileKernels, hasRelaxedSimd, type Kernels } from "./kernelModule.ts";
import { LinearMemory } from "./linearMemory.ts";
import { WasmMemory } from "./memory.ts";
import { memoryLimit } from "./memoryLimit.ts";
import { browserHost } from "./threads/browser.ts";
import type { Host } from "./threads/host.ts";
import { nodeHost } from "./threads/node.ts";
import { ThreadPool } from "./threads/pool.ts";
import { raceTiles, type TileChoice } from "./tileRace.ts";
import { tileTrial } from "./tileTrial.ts";

/** How the backend uses the machine. What is absent is chosen by what the runtime offers. */
export interface WasmOptions {
  /** Threads that compute, this one included; as many as can run at once when absent: cores, or what a container allows. */
  readonly threads?: number;
  /** Memory that threads can share; without it there is one thread. */
  readonly shared?: boolean;
  /** Fused multiply-add. */
  readonly relaxed?: boolean;
  /**
   * Tiles of twice the width: up to twice as fast where the engine makes registers of 256 bits of pairs of vectors, which V8
   * has behind a flag. `true` sets that flag, for the whole process; without this option wide tiles are used where Node was
   * started with it. In both cases a race of some milliseconds has to confirm them. `"always"` asks nobody: for tests.
   */
  readonly wide?: boolean | "always";
  /**
   * 64-bit addresses, once programs and states need more than 4 GiB. By default where the engine has them, up to what memory
   * the machine has; with `true`, up to the 16 GiB that engines allow.
   */
  readonly memory64?: boolean;
  /**
   * In browsers: makes the worker of a thread, from a file of yours that calls `serveThread()`. For pages whose policy
   * (`Content-Security-Policy`) forbids workers that are made of text; without it they have to allow `worker-src blob:`.
   * `() => new Worker(new URL("./thread.js", import.meta.url), { type: "module" })`
   */
  readonly thread?: MakeWorker;
  /** Fill memory that a program has not written with NaN. For tests. */
  readonly poison?: boolean;
  /** Address of what is allocated first. For tests. */
  readonly first?: number;
}

const optionRules: Readonly<Record<keyof WasmOptions, Rule<unknown>>> = {
  threads: number({ min: 1, max: 1024, integer: true }),
  shared: boolean(),
  relaxed: boolean(),
  wide: choice([true, false, "always"]),
  memory64: boolean(),
  thread: callback,
  poison: boolean(),
  first: number({ min: 65536, integer: true }),
};

/** What a backend is made of. */
interface Parts extends Pick<Surroundings, "linear" | "pool" | "relaxed" | "poison"> {
  kernelsFor(addresses: AddressType): Promise<Kernels>;
}

/** Longest time that runs keep the runtime from its timers and signals. */
const BREATH_MS = 50;

/** Programs on the CPU: SIMD WebAssembly on all cores. */
export class WasmBackend implements Backend {
  readonly threads: number;
  readonly keeps = ["f16", "bf16"] as const;
  readonly #processor: string;
  readonly #tiles: TileChoice;
  readonly #linear: LinearMemory;
  readonly #pool: ThreadPool;
  readonly #around: Surroundings;
  readonly #memories = new Set<WasmMemory>();
  readonly #executables = new Set<WasmExecutable>();

  private constructor(processor: string, tiles: TileChoice, parts: Parts) {
    const { linear, pool } = parts;
    this.#processor = processor;
    this.#tiles = tiles;
    this.#linear = linear;
    this.#pool = pool;
    this.threads = pool.threads;
    let breathed = performance.now();
    this.#around = {
      ...parts,
      scratch: new ScratchPool(
        (bytes) => linear.allocate(bytes),
        (address) => linear.free(address),
      ),
      nextTurn,
      breathe: () => {
        if (performance.now() - breathed < BREATH_MS) return undefined;
        return nextTurn().then(() => {
          breathed = performance.now();
        });
      },
      followMemory: async () => {
        if (pool.memory === linear.memory) return;
        const kernels = await parts.kernelsFor(linear.addresses);
        if (pool.memory === linear.memory) return;
        pool.follow(linear, kernels);
        for (const executable of this.#executables) executable.forgetCode();
      },
      forget: (executable) => this.#executables.delete(executable),
    };
  }

  /**
   * Starts the backend with its threads.
   * @throws KernelError when the engine has no SIMD; OptionError when an option is not what it should be.
   */
  static async open(options: WasmOptions = {}): Promise<WasmBackend> {
    checkOptions("the wasm backend", optionRules, options);
    checkSimd();
    const host = nodeHost() ?? browserHost();
    const { threads = host.cores, poison = false, first } = options;
    if (options.relaxed !== false && !hasRelaxedSimd()) host.allowRelaxedSimd();
    const relaxed = (options.relaxed ?? true) && hasRelaxedSimd();
    const shared = (options.shared ?? true) && typeof SharedArrayBuffer !== "undefined";
    const linear = new LinearMemory({ shared, first, ...memoryLimit(host, { ...options, relaxed }) });
    const { addresses } = linear;
    const settled = settledTiles(options.wide, host);
    const module = await compileKernels({ relaxed, shared, addresses });
    const tiles = settled ?? (await fasterTiles(module, relaxed, linear));
    const kernelsFor = async (type: AddressType): Promise<Kernels> => ({
      module: type === addresses ? module : await compileKernels({ relaxed, shared, addresses: type }),
      wide: tiles.wide && type === "i32" ? 1 : 0,
    });
    const pool = new ThreadPool(host, threads, linear, await kernelsFor(addresses), options.thread);
    return new WasmBackend(host.processor, tiles, { linear, pool, relaxed, poison, kernelsFor });
  }

  /** Which tiles the kernels use, and why: from when the memory exceeds 4 GiB, others than before. */
  get tiles(): TileChoice {
    return this.#linear.addresses === "i64" && this.#tiles.wide ? NARROW_ONLY : this.#tiles;
  }

  get info(): DeviceInfo {
    const { relaxed, linear } = this.#around;
    const threads = `${this.threads} ${this.threads === 1 ? "thread" : "threads"}`;
    const features = [`${relaxed ? "relaxed " : ""}SIMD`];
    if (this.tiles.wide) features.push("wide tiles");
    if (linear.addresses === "i64") features.push("64-bit addresses");
    return { backend: "wasm", name: `${this.#processor}, ${threads}, ${features.join(", ")}`, software: true };
  }

  createMemory(): WasmMemory {
    const memory = new WasmMemory(this.#linear, (disposed) => this.#memories.delete(disposed));
    this.#memories.add(memory);
    return memory;
  }

  async compile(program: Program, memory: Memory): Promise<WasmExecutable> {
    invariant(memory instanceof WasmMemory, "a memory of another backend");
    const executable = await WasmExecutable.compile(program, memory, this.#around);
    this.#executables.add(executable);
    return executable;
  }

  /** Sizes in the linear memory, before anything is allocated. @throws KernelError when an op has no kernel */
  footprint(program: Program): Footprint {
    return footprintOf(program, this.threads);
  }
  get capacity(): number {
    return this.#linear.capacity;
  }
  get capacityHint(): string | undefined {
    return this.#linear.hint;
  }

  expect(bytes: number): void {
    this.#linear.expect(bytes);
  }

  async finish(): Promise<void> {}

  get liveBytes(): number {
    return this.#linear.liveBytes;
  }

  /** Parts of steps that other threads than the calling one have computed: above 0 when threads work. */
  get chunksByWorkers(): number {
    return this.#pool.chunksByWorkers;
  }

  async close(): Promise<void> {
    for (const executable of [...this.#executables]) executable.dispose();
    for (const memory of [...this.#memories]) memory.dispose();
    await this.#pool.close();
  }
}

/** V8 joins no vectors that are read by 64-bit addresses: there the wide tiles are the slower ones. */
const NARROW_ONLY: TileChoice = { wide: false, reason: "vectors are not joined where addresses have 64 bits" };

/** The tiles where there is nothing to find out. Comes before kernels are compiled: it may set flags. */
function settledTiles(wide: WasmOptions["wide"], host: Host): TileChoice | undefined {
  if (wide === "always") return { wide: true, reason: "they were asked for in any case" };
  const refused = wide === false ? "wide ones are switched off" : host.joinVectors(wide === true);
  return refused === undefined ? undefined : { wide: false, reason: refused };
}

/** What races in this process have found, with and without relaxed SIMD: engines optimise the same module once. */
const raced = new Map<boolean, TileChoice>();

async function fasterTiles(module: WebAssembly.Module, relaxed: boolean, linear: LinearMemory): Promise<TileChoice> {
  const known = raced.get(relaxed);
  if (known) return known;
  const trial = tileTrial(module, linear);
  try {
    const found = await raceTiles(trial);
    raced.set(relaxed, found);
    return found;
  } finally {
    trial.release();
  }
}

/** The next turn of the event loop. */
function nextTurn(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (then: () => void) => void };
  return new Promise((resolve) => (setImmediate ?? setTimeout)(resolve));
}
