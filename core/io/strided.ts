import { sizeOf } from "../tensor/shape.ts";
import { arrays, type StoredTensor } from "./safetensorsHeader.ts";

/** Numbers that lie where strides say, in elements. */
export interface Strided {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** Of the first. */
  readonly offset: number;
}

/** Numbers in row-major order: a view where they lie so, else a copy. The caller has checked that all of them are there. */
export function rowMajor(
  dtype: StoredTensor["dtype"],
  all: StoredTensor["data"],
  { shape, strides, offset }: Strided,
): StoredTensor["data"] {
  const count = sizeOf(shape);
  if (isRowMajor(shape, strides)) return all.subarray(offset, offset + count);
  // Of one type of array as of another: the compiler is told of one.
  const out = new arrays[dtype](count) as Float32Array;
  const from = all as Float32Array;
  const place = new Array<number>(shape.length).fill(0);
  let at = offset;
  for (let i = 0; i < count; i++) {
    out[i] = from[at];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis];
      if (++place[axis] < shape[axis]) break;
      at -= strides[axis] * shape[axis];
      place[axis] = 0;
    }
  }
  return out;
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== stride) return false;
    stride *= shape[axis];
  }
  return true;
}

/** Strides of an array whose first index runs fastest, as Fortran has it. */
export const columnMajorStrides = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
