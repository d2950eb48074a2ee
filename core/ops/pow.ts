import { equal } from "./equal.ts";
import { less } from "./less.ts";
import { log } from "./log.ts";
import { mul } from "./mul.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";
import { sub } from "./sub.ts";
import { where } from "./where.ts";

/** y = aᵇ. A negative base needs a whole exponent, else y is NaN. */
export const pow: Op<[a: TensorLike, b: TensorLike]> = defineElementwise({
  name: "pow",
  inputs: "a, b",
  scalar: (a, b) => a ** b,
  // da = dy · b · aᵇ⁻¹, 0 where b = 0;   db = dy · y · ln a, 0 where a = 0 and b ≥ 0: limits that the formulae miss
  vjp: ({ a, b, y }, dy) => ({
    a: where(equal(b, 0), 0, mul(dy, mul(b, pow(a, sub(b, 1))))),
    b: where(mul(equal(a, 0), sub(1, less(b, 0))), 0, mul(dy, mul(y, log(a)))),
  }),
});
