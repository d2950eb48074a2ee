import { add } from "./add.ts";
import { clamp } from "./clamp.ts";
import { mul } from "./mul.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";
import { square } from "./square.ts";
import { sub } from "./sub.ts";
import { tanh } from "./tanh.ts";

const SLOPE = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/** y = ½ x (1 + tanh u), u = √(2/π) (x + 0.044715 x³): the tanh form of GELU. */
export const geluTanh: Op<[x: TensorLike]> = defineElementwise({
  name: "geluTanh",
  inputs: "x",
  scalar: (x) => 0.5 * x * (1 + Math.tanh(SLOPE * (x + CUBIC * x * x * x))),
  // dx = dy · (½ (1 + t) + ½ x (1 − t²) u′),   t = tanh u,   u′ = √(2/π) (1 + 3 · 0.044715 x²)
  vjp: ({ x }, dy) => {
    // Beyond ±10 the derivative is 0 or 1 to the last bit, and x³ could overflow.
    const c = clamp(x, { min: -10, max: 10 });
    const cc = square(c);
    const t = tanh(mul(mul(c, SLOPE), add(1, mul(cc, CUBIC))));
    const slope = mul(add(1, mul(cc, 3 * CUBIC)), SLOPE);
    const tail = mul(mul(c, sub(1, square(t))), slope);
    return { x: mul(dy, mul(add(add(1, t), tail), 0.5)) };
  },
});
