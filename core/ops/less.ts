import { defineElementwise, type Op, type TensorLike } from "./op.ts";

/** 1 where a < b, else 0. */
export const less: Op<[a: TensorLike, b: TensorLike]> = defineElementwise({
  name: "less",
  inputs: "a, b",
  dtype: "f32",
  scalar: (a, b) => (a < b ? 1 : 0),
  vjp: "no gradient",
});
