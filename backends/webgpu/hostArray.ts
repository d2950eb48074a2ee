import type { HostArray, StateArray } from "../../core/interfaces/backend.ts";
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

/** Elements of two bytes, one more where it takes one to fill the last word: writes to a device are whole words. */
export function wholeWords(data: StateArray): StateArray {
  if (data.byteLength % 4 === 0 && data.buffer instanceof ArrayBuffer) return data;
  const words = new Uint16Array(2 * Math.ceil(data.length / 2));
  words.set(data);
  return words;
}
