import { greater } from "./greater.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";
import { where } from "./where.ts";

/** y = max(x, 0); the gradient at 0 is 0. */
export const relu: Op<[x: TensorLike]> = defineElementwise({
  name: "relu",
  inputs: "x",
  scalar: (x) => Math.max(x, 0),
  vjp: ({ x }, dy) => ({ x: where(greater(x, 0), dy, 0) }),
});
