import { failure, invariant, isDeviceLost } from "../../core/errors.ts";
import { finalStates } from "../../core/graph/finalStates.ts";
import { type BufferKind, type BufferSpec, stateType } from "../../core/graph/plan.ts";
import type { Program } from "../../core/graph/program.ts";
import type { ScratchPool } from "../../core/graph/scratchPool.ts";
import type { Executable, HostArray, OnState } from "../../core/interfaces/backend.ts";
import { isShared, ownSpace } from "./footprint.ts";
import { compileModule } from "./kernelModule.ts";
import { blockSize, type LinearMemory } from "./linearMemory.ts";
import type { WasmMemory } from "./memory.ts";
import type { LoadedProgram, ThreadPool } from "./threads/pool.ts";
import { type Addresses, type KernelPlans, type LabelledJob, planKernels, spaceOf, translate } from "./translate.ts";

/** Milliseconds between two turns of the event loop while others are sending what a program has made: each begins another piece. */
const TURN_MS = 3;

/** What an executable shares with its backend. */
export interface Surroundings {
  readonly linear: LinearMemory;
  readonly pool: ThreadPool;
  /** What only lives while a program runs, by its address; all programs share it. */
  readonly scratch: ScratchPool<number>;
  readonly relaxed: boolean;
  /** Fill what a program has not written yet with NaN, to find kernels that read it. For tests. */
  readonly poison: boolean;
  /** Makes the threads compute on the memory as it is now. */
  followMemory(): Promise<void>;
  /** Lets timers and signals of the runtime through, when it is time to. */
  breathe(): Promise<void> | undefined;
  /** Lets everything through that has come to its end meanwhile. */
  nextTurn(): Promise<void>;
  /** While a program runs that lets others through: no other may begin, as they share their scratch. */
  busy?: Promise<void>;
  /** Called once, on `dispose`. */
  forget(executable: WasmExecutable): void;
}

/** Milliseconds that one step of a program took, in all runs since profiling began. */
export interface StepTime {
  readonly label: string;
  ms: number;
}

/** A program translated to WebAssembly, with its buffers at fixed addresses. */
export class WasmExecutable implements Executable {
  readonly program: Program;
  readonly tellsStates = true;
  readonly #around: Surroundings;
  readonly #memory: WasmMemory;
  readonly #blocks: Blocks;
  /** What a run has to look at: inputs and states; with poison, also what steps write. */
  readonly #buffers: readonly { spec: BufferSpec; address: number }[];
  readonly #outputs: ReadonlyMap<string, { spec: BufferSpec; address: number }>;
  readonly #placed: Placed;
  readonly #jobs: readonly LabelledJob[];
  /** Absent after the memory has changed, until the next run. */
  #loaded?: Loaded;
  #times?: StepTime[];
  #disposed = false;

  private constructor(
    program: Program,
    memory: WasmMemory,
    around: Surroundings,
    parts: { blocks: Blocks; placed: Placed; loaded: Loaded },
  ) {
    this.program = program;
    this.#memory = memory;
    this.#around = around;
    this.#blocks = parts.blocks;
    const { buffers } = parts.placed.addresses;
    const placed = program.plan.buffers.map((spec, i) => ({ spec, address: buffers[i] }));
    const seen = new Set<BufferKind>(["input", "state"]);
    if (around.poison) seen.add("scratch").add("output");
    this.#buffers = placed.filter(({ spec }) => seen.has(spec.kind));
    const outputs = placed.filter(({ spec }) => spec.kind === "output");
    this.#outputs = new Map(outputs.map((buffer) => [buffer.spec.name, buffer]));
    this.#placed = parts.placed;
    this.#loaded = parts.loaded;
    this.#jobs = parts.loaded.jobs;
  }

  /** @throws KernelError when an op has no kernel, or the program does not fit into the memory. */
  static async compile(program: Program, memory: WasmMemory, around: Surroundings): Promise<WasmExecutable> {
    const { linear, pool } = around;
    const plans: KernelPlans = planKernels(program);
    const blocks: Blocks = { own: [], shared: [] };
    const allocate = (elements: number): number => {
      const address = linear.allocate(elements * 4);
      blocks.own.push(address);
      return address;
    };
    try {
      const space = spaceOf(program, plans);
      const ownElements = ownSpace(space.own);
      const scratch = program.plan.buffers.filter(isShared).map(({ elements }) => elements);
      const sizes = [...scratch, space.temps, ownElements * pool.threads];
      blocks.shared = around.scratch.take(sizes.map((elements) => blockSize(elements * 4)));
      const [temps, own] = blocks.shared.slice(scratch.length);
      let next = 0;
      const addresses = program.plan.buffers.map((spec) => {
        if (spec.kind === "state") return stateAddress(program, memory, spec);
        return isShared(spec) ? blocks.shared[next++] : allocate(spec.elements);
      });
      program.plan.buffers.forEach((spec, i) => {
        if (spec.kind !== "state") fillBuffer(linear, addresses[i], spec, around.poison);
      });
      if (around.poison) {
        linear.view(temps, space.temps).fill(Number.NaN);
        linear.view(own, ownElements * pool.threads).fill(Number.NaN);
      }
      const ownOf = (thread: number) => own + thread * ownElements * 4;
      const placed = { plans, addresses: { buffers: addresses, temps }, ownOf };
      const loaded = await load(program, placed, around);
      return new WasmExecutable(program, memory, around, { blocks, placed, loaded });
    } catch (error) {
      freeBlocks(around, blocks);
      throw error;
    }
  }

  /** Computes on this thread and the workers, and returns when all is done. */
  async run(inputs: Readonly<Record<string, HostArray>> = {}, onState?: OnState): Promise<void> {
    invariant(!this.#disposed, `${this.program.name} was disposed`);
    while (this.#around.busy) await this.#around.busy;
    const { linear, pool, poison } = this.#around;
    const pause = this.#around.breathe();
    if (pause) await pause;
    // Another program may have made the memory wider since this one was loaded; addresses and contents are the same.
    while (this.#loaded?.memory !== linear.memory) this.#loaded = await load(this.program, this.#placed, this.#around);
    const { program } = this.#loaded;
    for (const { spec, address } of this.#buffers) {
      if (spec.kind === "input") {
        const given = inputs[spec.name];
        if (given?.length !== spec.elements)
          throw failure(
            "E_SHAPE",
            `Cannot run ${this.program.name}: input "${spec.name}" has ${given?.length ?? "no"} elements, expected ${spec.elements}`,
          );
        linear.view(address, spec.elements, spec.dtype).set(given);
      } else if (spec.kind === "state") {
        // The address is part of the code.
        invariant(
          this.#memory.block(spec.name).address === address,
          `state "${spec.name}" was made anew after ${this.program.name} was compiled`,
        );
      } else if (poison) fillBuffer(linear, address, spec, poison);
    }
    if (onState) await this.#runTelling(program, onState);
    else if (this.#times) this.#runTimed(program, this.#times);
    else for (const job of this.#jobs) pool.run(program, job);
  }

  /** Tells of each state that is done, and then lets those through who have asked for it to be sent. */
  async #runTelling(program: LoadedProgram, onState: OnState): Promise<void> {
    const { pool, nextTurn } = this.#around;
    const open = [...finalStates(this.program.plan)];
    let done = () => {};
    this.#around.busy = new Promise((resolve) => {
      done = resolve;
    });
    try {
      let turned = Number.POSITIVE_INFINITY;
      for (const job of this.#jobs) {
        while (open.length > 0 && open[0].step < job.at) {
          await onState(open.shift()!.name);
          turned = Number.NEGATIVE_INFINITY;
        }
        if (performance.now() - turned > TURN_MS) {
          await nextTurn();
          turned = performance.now();
        }
        pool.run(program, job);
      }
      for (const { name } of open) await onState(name);
    } finally {
      this.#around.busy = undefined;
      done();
    }
  }

  #runTimed(program: LoadedProgram, times: StepTime[]): void {
    let last = performance.now();
    this.#jobs.forEach((job, i) => {
      this.#around.pool.run(program, job);
      const now = performance.now();
      times[i].ms += now - last;
      last = now;
    });
  }

  /** Lets go of the code for a memory that is not used any more. The threads have let go of it already. */
  forgetCode(): void {
    this.#loaded = undefined;
  }

  /** Starts to add up the time of each step; returns the list that `run` adds to. */
  profile(): readonly StepTime[] {
    this.#times = this.#jobs.map(({ label }) => ({ label, ms: 0 }));
    return this.#times;
  }

  async read(output: string): Promise<HostArray> {
    invariant(!this.#disposed, `${this.program.name} was disposed`);
    const buffer = this.#outputs.get(output);
    invariant(buffer, `${this.program.name} has no output "${output}"`);
    const { elements, dtype } = buffer.spec;
    return this.#around.linear.view(buffer.address, elements, dtype).slice();
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#loaded) this.#around.pool.unload(this.#loaded.program);
    freeBlocks(this.#around, this.#blocks);
    this.#around.forget(this);
  }
}

/** What the code of a program is made from, besides the program. */
interface Placed {
  readonly plans: KernelPlans;
  readonly addresses: Addresses;
  /** Address of a thread's own space. */
  ownOf(thread: number): number;
}

/** A program as the threads have it, for the memory that they compute on. */
interface Loaded {
  readonly memory: WebAssembly.Memory;
  readonly program: LoadedProgram;
  readonly jobs: readonly LabelledJob[];
}

/** Addresses of what a program allocated, and of what it shares with others. */
interface Blocks {
  readonly own: number[];
  shared: readonly number[];
}

function freeBlocks({ linear, scratch }: Surroundings, { own, shared }: Blocks): void {
  for (const address of own) linear.free(address);
  scratch.release(shared);
}

function stateAddress(program: Program, memory: WasmMemory, spec: BufferSpec): number {
  const block = memory.block(spec.name);
  const type = stateType(spec);
  if (block.elements !== spec.elements || block.type !== type)
    throw failure(
      "E_SHAPE",
      `Cannot compile ${program.name}: state "${spec.name}" has ${block.elements} elements of ${block.type}, expected ${spec.elements} of ${type}`,
    );
  return block.address;
}

function fillBuffer(
  linear: LinearMemory,
  address: number,
  { kind, elements, dtype, data }: BufferSpec,
  poison: boolean,
): void {
  const view = linear.view(address, elements, dtype);
  if (data) view.set(data);
  // The gaps between the parts of a pack must be zero.
  else if (kind === "packed" || !poison) view.fill(0);
  else if (dtype === "f32") view.fill(Number.NaN);
  else view.fill(-0x7fffffff);
}

/** Translates and compiles a program and gives it to the threads. */
async function load(program: Program, { plans, addresses, ownOf }: Placed, around: Surroundings): Promise<Loaded> {
  const { linear, pool, relaxed } = around;
  for (;;) {
    await around.followMemory();
    const { memory } = linear;
    const options = { relaxed, shared: linear.shared, addresses: linear.addresses };
    const { bytes, jobs } = translate(program, plans, addresses, options);
    try {
      const module = await compileModule(bytes);
      // Unless the memory has become wider in the meantime.
      if (pool.memory === memory) return { memory, program: pool.load(module, ownOf), jobs };
    } catch (cause) {
      if (isDeviceLost(cause)) throw cause;
      throw failure("E_KERNEL", `Cannot compile ${program.name}: ${(cause as Error).message}`, { cause });
    }
  }
}
