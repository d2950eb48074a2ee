import { defineElementwise, type Op, type TensorLike } from "./op.ts";

/** y = −1, 0 or 1, as x is negative, zero or positive. */
export const sign: Op<[x: TensorLike]> = defineElementwise({
  name: "sign",
  inputs: "x",
  scalar: (x) => Math.sign(x),
  vjp: "no gradient",
});
