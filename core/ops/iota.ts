import type { DType, Tensor } from "../tensor/tensor.ts";
import { constantArray } from "./sources.ts";

/** 0, 1, … count − 1. */
export const iota = (count: number, dtype: DType = "i32"): Tensor =>
  constantArray(
    Array.from({ length: count }, (_, i) => i),
    [count],
    dtype,
  );
