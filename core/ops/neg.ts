import { defineElementwise, type Op, type TensorLike } from "./op.ts";

/** y = −x. */
export const neg: Op<[x: TensorLike]> = defineElementwise({
  name: "neg",
  inputs: "x",
  scalar: (x) => -x,
  vjp: (_, dy) => ({ x: neg(dy) }),
});
