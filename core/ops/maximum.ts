import { add } from "./add.ts";
import { equal } from "./equal.ts";
import { greater } from "./greater.ts";
import { mul } from "./mul.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";

/** y = max(a, b), element by element. Equal elements share the gradient, half each. */
export const maximum: Op<[a: TensorLike, b: TensorLike]> = defineElementwise({
  name: "maximum",
  inputs: "a, b",
  scalar: (a, b) => Math.max(a, b),
  vjp: ({ a, b }, dy) => {
    const tie = mul(equal(a, b), 0.5);
    return { a: mul(dy, add(greater(a, b), tie)), b: mul(dy, add(greater(b, a), tie)) };
  },
});
