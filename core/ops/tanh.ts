import { mul } from "./mul.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";
import { sub } from "./sub.ts";

/** y = tanh x. */
export const tanh: Op<[x: TensorLike]> = defineElementwise({
  name: "tanh",
  inputs: "x",
  scalar: (x) => Math.tanh(x),
  vjp: ({ y }, dy) => ({ x: mul(dy, sub(1, mul(y, y))) }),
});
