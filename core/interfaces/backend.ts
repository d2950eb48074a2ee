import { type Token, token } from "../di/token.ts";
import type { Program } from "../graph/program.ts";
import type { DType } from "../tensor/tensor.ts";

/** Host copy of a tensor's elements. */
export type HostArray = Float32Array | Int32Array;

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
  /** Makes a state of `elements` zeros; keeps an existing one of the same size and type. */
  allocate(name: string, elements: number, dtype?: DType): void;
  has(name: string): boolean;
  names(): string[];
  /** Replaces all elements. Throws ShapeError when the length differs. */
  write(name: string, data: HostArray): void;
  /** Waits for the device. */
  read(name: string): Promise<HostArray>;
  /** True when it keeps sizes but no numbers, for planning; then nothing need be drawn for it. */
  readonly sizesOnly?: boolean;
  /** Bytes of all states. */
  readonly bytes: number;
  dispose(): void;
}

/** A program made ready for a device and bound to a memory. */
export interface Executable {
  readonly program: Program;
  /**
   * Starts one run. Inputs are copied before it returns. Resolves when the next run may be started, which can be before
   * the device has finished.
   */
  run(inputs?: Readonly<Record<string, HostArray>>): Promise<void>;
  /** The named output of the last run started. Call before the next `run`; resolves when the device is done with it. */
  read(output: string): Promise<HostArray>;
  dispose(): void;
}

/** Bytes that a program alone holds on a device once it is compiled, besides the states. */
export interface Footprint {
  /** Buffers of the plan, rounded as the device rounds: inputs, outputs, constants, packed gradients, scratch. */
  readonly planned: number;
  /** What the device adds: temporaries of kernels, space of threads, sizes. */
  readonly added: number;
  /**
   * Sizes of those buffers, scratch and temporaries, that programs of the device use in turn: of all programs together
   * there are only as many as one at a time needs.
   */
  readonly shared?: readonly number[];
  /** Dispatches of a run, where that is not the plan's number of steps. */
  readonly dispatches?: number;
}

/** A device that compiles and runs programs. */
export interface Backend {
  readonly info: DeviceInfo;
  /** Whether values that a trace keeps in f16 are; otherwise they are kept in f32. */
  readonly storesHalf?: boolean;
  createMemory(): Memory;
  /** @throws KernelError when a kernel does not compile or the program needs more than the device has. */
  compile(program: Program, memory: Memory): Promise<Executable>;
  /**
   * What `compile` would allocate, without allocating it.
   * @throws KernelError when a tensor is larger than the device allows.
   */
  footprint?(program: Program): Footprint;
  /** Bytes of all tensors together, where the device tells. */
  readonly capacity?: number;
  /** Resolves when all submitted work is done. */
  finish(): Promise<void>;
  /** Bytes the device holds for us now. */
  readonly liveBytes: number;
  close(): Promise<void>;
}

/** The device of a run. */
export const BACKEND: Token<Backend> = token<Backend>("backend");
