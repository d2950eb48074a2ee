import { defineElementwise, type Op, type TensorLike } from "./op.ts";

/** An integer tensor as floats. */
export const toFloat: Op<[x: TensorLike]> = defineElementwise({
  name: "toFloat",
  inputs: "x",
  dtype: "f32",
  scalar: (x) => x,
  vjp: "no gradient",
});
