import { defineElementwise, type Op, type TensorLike } from "./op.ts";

/** y = ⌊x⌋. */
export const floor: Op<[x: TensorLike]> = defineElementwise({
  name: "floor",
  inputs: "x",
  scalar: (x) => Math.floor(x),
  vjp: "no gradient",
});
