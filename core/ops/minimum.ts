import { add } from "./add.ts";
import { equal } from "./equal.ts";
import { less } from "./less.ts";
import { mul } from "./mul.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";

/** y = min(a, b), element by element. Equal elements share the gradient, half each. */
export const minimum: Op<[a: TensorLike, b: TensorLike]> = defineElementwise({
  name: "minimum",
  inputs: "a, b",
  scalar: (a, b) => Math.min(a, b),
  vjp: ({ a, b }, dy) => {
    const tie = mul(equal(a, b), 0.5);
    return { a: mul(dy, add(less(a, b), tie)), b: mul(dy, add(less(b, a), tie)) };
  },
});
