import { div } from "./div.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";

/** y = ln x, for x > 0. */
export const log: Op<[x: TensorLike]> = defineElementwise({
  name: "log",
  inputs: "x",
  scalar: (x) => Math.log(x),
  vjp: ({ x }, dy) => ({ x: div(dy, x) }),
});
