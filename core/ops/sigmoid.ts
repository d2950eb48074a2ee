import { mul } from "./mul.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";
import { sub } from "./sub.ts";

/** y = 1 / (1 + e⁻ˣ). */
export const sigmoid: Op<[x: TensorLike]> = defineElementwise({
  name: "sigmoid",
  inputs: "x",
  scalar: (x) => 1 / (1 + Math.exp(-x)),
  vjp: ({ y }, dy) => ({ x: mul(dy, mul(y, sub(1, y))) }),
});
