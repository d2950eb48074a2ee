import { add } from "./add.ts";
import { div } from "./div.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";

/** y = ln(1 + x), precise near 0; for x > −1. */
export const log1p: Op<[x: TensorLike]> = defineElementwise({
  name: "log1p",
  inputs: "x",
  scalar: (x) => Math.log1p(x),
  vjp: ({ x }, dy) => ({ x: div(dy, add(x, 1)) }),
});
