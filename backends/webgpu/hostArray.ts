import type { HostArray } from "../../core/interfaces/backend.ts";
import type { DType } from "../../core/tensor/tensor.ts";

/** Elements in the form a device buffer of this type holds; numbers of the other type are converted. */
export function toWords(data: HostArray, dtype: DType): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> {
  const fits = dtype === "f32" ? data instanceof Float32Array : data instanceof Int32Array;
  // WebGPU takes no views of shared memory.
  if (fits && data.buffer instanceof ArrayBuffer) return data as Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
  return dtype === "f32" ? Float32Array.from(data) : Int32Array.from(data);
}

/** Bytes of a device buffer as elements. */
export const toHost = (bytes: ArrayBuffer, dtype: DType): HostArray =>
  dtype === "f32" ? new Float32Array(bytes) : new Int32Array(bytes);
