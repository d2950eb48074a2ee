import { mul } from "./mul.ts";
import { neg } from "./neg.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";
import { sin } from "./sin.ts";

/** y = cos x; as precise as `sin`, which see. */
export const cos: Op<[x: TensorLike]> = defineElementwise({
  name: "cos",
  inputs: "x",
  scalar: (x) => Math.cos(x),
  vjp: ({ x }, dy) => ({ x: neg(mul(dy, sin(x))) }),
});
