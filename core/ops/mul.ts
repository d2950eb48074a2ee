import { defineElementwise, type Op, type TensorLike } from "./op.ts";

/** y = a · b, element by element. */
export const mul: Op<[a: TensorLike, b: TensorLike]> = defineElementwise({
  name: "mul",
  inputs: "a, b",
  scalar: (a, b) => a * b,
  vjp: ({ a, b }, dy) => ({ a: mul(dy, b), b: mul(dy, a) }),
});
