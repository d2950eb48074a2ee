import { neg } from "./neg.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";

/** y = a − b. */
export const sub: Op<[a: TensorLike, b: TensorLike]> = defineElementwise({
  name: "sub",
  inputs: "a, b",
  scalar: (a, b) => a - b,
  vjp: (_, dy) => ({ a: dy, b: neg(dy) }),
});
