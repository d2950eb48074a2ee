import { mul } from "./mul.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";
import { sigmoid } from "./sigmoid.ts";

/** y = ln(1 + eˣ), computed as max(x, 0) + ln(1 + e^−|x|); its gradient at 0 is exactly ½. */
export const softplus: Op<[x: TensorLike]> = defineElementwise({
  name: "softplus",
  inputs: "x",
  scalar: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  vjp: ({ x }, dy) => ({ x: mul(dy, sigmoid(x)) }),
});
