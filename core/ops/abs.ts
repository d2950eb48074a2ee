import { mul } from "./mul.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";
import { sign } from "./sign.ts";

/** y = |x|; the gradient at 0 is 0. */
export const abs: Op<[x: TensorLike]> = defineElementwise({
  name: "abs",
  inputs: "x",
  scalar: (x) => Math.abs(x),
  vjp: ({ x }, dy) => ({ x: mul(dy, sign(x)) }),
});
