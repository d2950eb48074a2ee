import { defineElementwise, type Op, type TensorLike } from "./op.ts";

/** The integer part of a float, towards zero; within ±2³¹. */
export const toInt: Op<[x: TensorLike]> = defineElementwise({
  name: "toInt",
  inputs: "x",
  dtype: "i32",
  scalar: (x) => Math.trunc(x),
  vjp: "no gradient",
});
