import { div } from "./div.ts";
import { mul } from "./mul.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";

/** y = √x, for x ≥ 0; the gradient at 0 is infinite. */
export const sqrt: Op<[x: TensorLike]> = defineElementwise({
  name: "sqrt",
  inputs: "x",
  scalar: (x) => Math.sqrt(x),
  vjp: ({ y }, dy) => ({ x: div(mul(dy, 0.5), y) }),
});
