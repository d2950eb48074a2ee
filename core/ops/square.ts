import { mul } from "./mul.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";

/** y = x². */
export const square: Op<[x: TensorLike]> = defineElementwise({
  name: "square",
  inputs: "x",
  scalar: (x) => x * x,
  vjp: ({ x }, dy) => ({ x: mul(mul(dy, 2), x) }),
});
