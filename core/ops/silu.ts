import { add } from "./add.ts";
import { mul } from "./mul.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";
import { sigmoid } from "./sigmoid.ts";
import { sub } from "./sub.ts";

/** y = x · sigmoid(x), also called swish. */
export const silu: Op<[x: TensorLike]> = defineElementwise({
  name: "silu",
  inputs: "x",
  scalar: (x) => x / (1 + Math.exp(-x)),
  // dx = dy · s · (1 + x · (1 − s)),   s = sigmoid(x)
  vjp: ({ x }, dy) => {
    const s = sigmoid(x);
    return { x: mul(dy, mul(s, add(1, mul(x, sub(1, s))))) };
  },
});
