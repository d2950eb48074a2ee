import type { Tensor } from "../tensor/tensor.ts";
import { defineOp, type Op } from "./op.ts";

/** y = x, and no gradient passes. */
export const stopGradient: Op<[x: Tensor]> = defineOp({
  name: "stopGradient",
  kind: "view",
  signature: "x[*] -> y[*]",
  shape: ({ x }) => x,
  vjp: "no gradient",
  reference: (_, x, y) => y.set(x),
});
