import { add } from "./add.ts";
import { mul } from "./mul.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";
import { sigmoid } from "./sigmoid.ts";
import { sub } from "./sub.ts";

/** y = x · sigmoid(1.702 x): the GELU of OpenAI's CLIP. */
export const quickGelu: Op<[x: TensorLike]> = defineElementwise({
  name: "quickGelu",
  inputs: "x",
  scalar: (x) => x / (1 + Math.exp(-1.702 * x)),
  // dx = dy · s · (1 + 1.702 x (1 − s)),   s = sigmoid(1.702 x)
  vjp: ({ x }, dy) => {
    const z = mul(x, 1.702);
    const s = sigmoid(z);
    return { x: mul(dy, mul(s, add(1, mul(z, sub(1, s))))) };
  },
});
