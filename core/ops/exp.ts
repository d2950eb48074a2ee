import { mul } from "./mul.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";

/** y = eˣ. */
export const exp: Op<[x: TensorLike]> = defineElementwise({
  name: "exp",
  inputs: "x",
  scalar: (x) => Math.exp(x),
  vjp: ({ y }, dy) => ({ x: mul(dy, y) }),
});
