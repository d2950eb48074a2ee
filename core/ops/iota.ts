import type { DType } from "../tensor/tensor.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { constantArray } from "./sources.ts";

/** 0, 1, … count − 1. */
export const iota: Composed<[count: number, dtype?: DType]> = defineComposed({
  name: "iota",
  parameters: ["count: number", 'dtype?: "f32" | "i32"'],
  build: (count, dtype = "i32") =>
    constantArray(
      Array.from({ length: count }, (_, i) => i),
      [count],
      dtype,
    ),
});
