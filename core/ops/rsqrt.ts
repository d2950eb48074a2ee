import { mul } from "./mul.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";

/** y = 1 / √x, for x > 0. */
export const rsqrt: Op<[x: TensorLike]> = defineElementwise({
  name: "rsqrt",
  inputs: "x",
  scalar: (x) => 1 / Math.sqrt(x),
  // dx = −½ · dy · y³
  vjp: ({ y }, dy) => ({ x: mul(mul(dy, -0.5), mul(y, mul(y, y))) }),
});
