import type { BufferSpec, Place } from "../../core/graph/mod.ts";
import { elementBytes, type Storage } from "../../core/tensor/storage.ts";
import type { KernelSource } from "./kernelSource.ts";

/**
 * A compiled program as plain data: no GPU objects, so that limits can be checked before anything is allocated, and a
 * profiler or an autotuner can walk it.
 */
export interface DispatchList {
  readonly program: string;
  readonly dispatches: readonly Dispatch[];
  /** The plan's buffers by their numbers, and behind them the temporaries. */
  readonly buffers: readonly BufferNeed[];
  /** All `Dims` structs, one in each slot. */
  readonly dims: Uint8Array<ArrayBuffer>;
}

/** A buffer that the dispatches use. */
export interface BufferNeed {
  readonly kind: BufferSpec["kind"] | "temp";
  readonly name: string;
  readonly dtype: "f32" | "i32";
  readonly storage: Storage;
  readonly elements: number;
  /** Contents of a constant. */
  readonly data?: Float32Array | Int32Array;
}

/** One dispatch of one kernel. */
export interface Dispatch {
  /** program/op/kernel#step */
  readonly label: string;
  /** Number of the plan's step that it belongs to. */
  readonly step: number;
  /** Name of the op; "elementwise" or "copy" for the plan's own steps. */
  readonly op: string;
  /** Name of the op's kernel variant. */
  readonly variant: string;
  readonly kernel: KernelSource;
  readonly constants: Readonly<Record<string, number>>;
  /** In the order of the kernel's storage bindings. */
  readonly bindings: readonly BoundRange[];
  /** Where its `Dims` start in the list's `dims`, in bytes. */
  readonly dimsOffset: number;
  readonly workgroups: readonly [x: number, y: number, z: number];
}

/** A part of a buffer as bound. */
export interface BoundRange {
  readonly buffer: number;
  /** In bytes, a multiple of 256. */
  readonly offset: number;
  /** In bytes. */
  readonly size: number;
  readonly access: "read" | "read_write";
}

/** Bytes from one `Dims` to the next: what every device accepts as the offset of a uniform binding. */
export const DIMS_SLOT = 256;

/** Bytes of so many elements: whole vec4s, so that kernels may bind any tensor as such. */
export const byteSize = (elements: number, storage: Storage = "f32"): number =>
  Math.max(16, Math.ceil(elements / 4) * 4 * elementBytes(storage));

/** Bytes of a buffer. */
export const bufferBytes = ({ elements, storage }: BufferNeed): number => byteSize(elements, storage);

/** A part of a buffer from a place in it on. */
export const rangeOf = (
  { buffer, offset }: Place,
  { elements, storage }: Pick<BufferNeed, "elements" | "storage">,
  access: BoundRange["access"],
): BoundRange => ({
  buffer,
  offset: offset * elementBytes(storage),
  access,
  size: byteSize(elements, storage),
});
