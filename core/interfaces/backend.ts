/**
 * The contract between a planned program and a device. A backend is a `Backend` with a `Memory` and an `Executable`; it gets
 * `Program`s from core/graph/program.ts and runs `program.plan`. It may instead ignore the plan and interpret
 * `program.nodes` (inputs before users), then write `program.updates` into the states: the reference backend does.
 *
 * **Steps.** The results are those of running `plan.steps` one after another, each seeing all that the steps before it wrote.
 * The order already respects data, in-place writes and the gates of `after` (core/graph/block.ts), so a backend need not know
 * of them. It may overlap steps where that changes nothing.
 * - `elementwise`: `nodes` in order, for every element of `shape`. An input that is a view of one of the step's own nodes is
 *   that node's current element. An input for which `uniformOf` is defined is a literal and has no place. All others are read
 *   at their places and broadcast to `shape`. Only `outputs` are written. At most eight buffers are touched, as WebGPU grants.
 * - `kernel`: one op whose `kind` is "kernel", from its inputs' places to its own; never `pack`, which becomes copies.
 * - `copy`: elements from place to place, which may differ in storage; the values are converted. The two never overlap.
 *   Copies into outputs come after all kernels; copies into states come last, and a state that another one needs is saved
 *   to a scratch buffer before any is overwritten.
 *
 * **What may be written over.** An elementwise step may write an output over one of its inputs: same place, same size,
 * so each element must be read before it is written and by whatever writes it. The elements that a kernel step writes are
 * never among those it reads, though both may lie in one buffer, side by side.
 *
 * **Buffers**, by `kind`:
 * - `input`: filled from what `run` is given. `constant`: holds `data`, written once.
 * - `state`: the memory's state of that name, shared by all programs bound to the memory. Its new value may be written in
 *   place, as soon as no later step reads the old one.
 * - `output`: keeps its contents until the next run. A run writes all of it.
 * - `packed`: zeros when the program is compiled. Its parts are written by each run; the gaps between them stay zero, so a
 *   step that rounds its size up must not write there. No other program may have it.
 * - `scratch`: holds anything before its first write. Programs of a device may share these (`ScratchPool`), as they run in turn.
 *
 * **Places and alignment.** `plan.places` has the place of every value that a step reads or writes, views included. A tensor
 * is dense and row-major from there. Values in scratch, parameters and parts of a pack of parameters start at multiples of
 * 256 bytes (`alignmentOf`); any other view can start at any element, so where a device binds at multiples of 256 bytes,
 * check `isAligned` and copy if not.
 *
 * **Storage.** Scratch may be f16 (`BufferSpec.storage`): convert to f32 on reading and round on writing, with values
 * beyond f16 becoming infinities; compute in f32. A device without f16 stores all in f32, and says so with `storesHalf`.
 * States may be f16 or bf16; programs only read those, and see the f32 numbers that their elements are, which are finite. A device
 * names the storages that its states have with `keeps`, and stores others in f32.
 */
import { type Token, token } from "../di/token.ts";
import type { Program } from "../graph/program.ts";
import type { Storage } from "../tensor/storage.ts";
import type { DType } from "../tensor/tensor.ts";

/** Host copy of a tensor's elements. */
export type HostArray = Float32Array | Int32Array;

/** What a state holds, and as what: f16 and bf16 are numbers that programs read as f32. */
export type StateType = DType | Storage;

/** New elements of a state: numbers, or the bit patterns of a state that is kept in f16 or bf16. */
export type StateArray = HostArray | Uint16Array;

/** What runs a program: printed at the start of every run, stored in its report. */
export interface DeviceInfo {
  readonly backend: "webgpu" | "wasm" | "reference";
  /** As the driver calls it, such as "llvmpipe (LLVM 15.0.7, 256 bits)". */
  readonly name: string;
  /** True when the "GPU" is emulated on the CPU. */
  readonly software: boolean;
}

/** Named tensors that live on the device between runs: weights, moments, averages. */
export interface Memory {
  /**
   * Makes a state of `elements` zeros, f32 by default. An existing state of the same size and type keeps its contents. One of f16 or
   * bf16 takes half the bytes where the device has that storage (`Backend.keeps`), and behaves alike where it has not.
   */
  allocate(name: string, elements: number, type?: StateType): void;
  /** Told before states of so many bytes in all are made, so that the device can prepare for them. */
  expect?(bytes: number): void;
  has(name: string): boolean;
  names(): string[];
  /**
   * Replaces all elements, or from element `first` on as many as `data` has; call it between runs. `data` is copied. A state of
   * f16 or bf16 takes bit patterns of finite numbers, or numbers, which are rounded. Parts should begin
   * at multiples of 256 bytes (`alignmentOf`); where one ends within a word of four bytes, the other half of that may become zero.
   * @throws ShapeError when the length differs, or the part ends beyond the state.
   */
  write(name: string, data: StateArray, first?: number): void;
  /**
   * The bytes of a state's elements from `first` on, where the host sees the device's memory. What was put there must be written all
   * the same, as the state may have moved meanwhile; it costs nothing where it has not.
   */
  place?(name: string, first: number, elements: number): Uint8Array | undefined;
  /** A copy of the elements, after all runs started so far; those of f16 and bf16 as f32. Waits for the device. */
  read(name: string): Promise<HostArray>;
  /** True when it keeps sizes but no numbers, for planning; its callers then need not draw starting values. */
  readonly sizesOnly?: boolean;
  /** Bytes of all states. */
  readonly bytes: number;
  dispose(): void;
}

/** Hears of a state that has its new value, while the run goes on. The run waits for what it returns. */
export type OnState = (state: string) => Promise<void> | void;

/** A program made ready for a device and bound to a memory. */
export interface Executable {
  readonly program: Program;
  /** Whether `run` tells of states as soon as they have their new values, in the order of `finalStates`. */
  readonly tellsStates?: boolean;
  /**
   * Starts one run, behind all runs started before on this device. Every input of the program must be given, with as many
   * elements as it has. Inputs are copied before `run` returns, so the caller may reuse its arrays at once. Resolves when the next
   * run may be started, which can be before the device has finished.
   * @param onState called where `tellsStates` says so; may read the state, and nothing else of this program
   */
  run(inputs?: Readonly<Record<string, HostArray>>, onState?: OnState): Promise<void>;
  /**
   * A copy of the named output of the last run started. Call it before the next `run`, which overwrites the output; it
   * resolves when the device has finished that run.
   */
  read(output: string): Promise<HostArray>;
  /** Frees the program's own buffers; the states stay. */
  dispose(): void;
}

/** Steps of a program by op and variant, where an op has several. */
export type VariantCounts = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Adds a step to counts that are being made. */
export function countVariant(counts: Record<string, Record<string, number>>, op: string, variant: string): void {
  counts[op] ??= {};
  counts[op][variant] = (counts[op][variant] ?? 0) + 1;
}

/** Bytes that a program alone holds on a device once it is compiled, besides the states. */
export interface Footprint {
  /** Buffers of the plan, rounded as the device rounds: inputs, outputs, constants, packed gradients, scratch. */
  readonly planned: number;
  /** What the device adds: temporaries of kernels, space of threads, sizes. */
  readonly added: number;
  /**
   * Sizes of the buffers, scratch and temporaries, that the device's programs use in turn. `planned` and
   * `added` include them, but all programs together hold only what one of them needs at a time.
   */
  readonly shared?: readonly number[];
  /** Dispatches per run; the plan's number of steps when absent. */
  readonly dispatches?: number;
  /** By op and the name of the way in which a device computes it, such as "conv2d" and "winograd": so many steps. */
  readonly variants?: VariantCounts;
}

/** A device that compiles and runs programs. */
export interface Backend {
  readonly info: DeviceInfo;
  /** Whether the device honours f16 storage. If not, such values are stored in f32. */
  readonly storesHalf?: boolean;
  /** Storages of two bytes that states can have; the device keeps others in f32. None by default. */
  readonly keeps?: readonly Storage[];
  /** Runs that may not be done yet when `run` has resolved; 0, the default, where `run` computes. */
  readonly runsAhead?: number;
  createMemory(): Memory;
  /**
   * Makes a program ready to run on the states of `memory`, which must have all states that the program names before
   * the first run.
   * @throws KernelError when a kernel does not compile or the program needs more than the device has.
   */
  compile(program: Program, memory: Memory): Promise<Executable>;
  /**
   * What `compile` would allocate, without allocating it.
   * @throws KernelError when a tensor is larger than the device allows.
   */
  footprint?(program: Program): Footprint;
  /** Bytes that all tensors together may take, if the device says. */
  readonly capacity?: number | undefined;
  /** How to get more than that, where there is a way: a sentence for error messages, as in `fix` of a failure. */
  readonly capacityHint?: string | undefined;
  /** Told before a run how many bytes it will hold in all, so that the device can prepare for it. */
  expect?(bytes: number): void;
  /** Resolves when all submitted work is done. */
  finish(): Promise<void>;
  /** Bytes of all buffers that this backend holds on the device now. */
  readonly liveBytes: number;
  /** Frees everything; its memories and programs must not be used afterwards. */
  close(): Promise<void>;
}

/** The device of a run. */
export const BACKEND: Token<Backend> = token<Backend>("backend");
