import { mul } from "./mul.ts";
import { neg } from "./neg.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";

/** y = 1 / x. */
export const reciprocal: Op<[x: TensorLike]> = defineElementwise({
  name: "reciprocal",
  inputs: "x",
  scalar: (x) => 1 / x,
  vjp: ({ y }, dy) => ({ x: neg(mul(dy, mul(y, y))) }),
});
