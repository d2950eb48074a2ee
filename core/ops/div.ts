import { mul } from "./mul.ts";
import { neg } from "./neg.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";

/** y = a / b. */
export const div: Op<[a: TensorLike, b: TensorLike]> = defineElementwise({
  name: "div",
  inputs: "a, b",
  scalar: (a, b) => a / b,
  // da = dy / b,   db = −dy · y / b
  vjp: ({ b, y }, dy) => ({ a: div(dy, b), b: neg(div(mul(dy, y), b)) }),
});
