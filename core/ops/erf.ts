import { errorFunction } from "./errorFunction.ts";
import { exp } from "./exp.ts";
import { mul } from "./mul.ts";
import { neg } from "./neg.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";
import { square } from "./square.ts";

/** y = erf x = 2/√π ∫₀ˣ e^(−t²) dt. */
export const erf: Op<[x: TensorLike]> = defineElementwise({
  name: "erf",
  inputs: "x",
  scalar: (x) => errorFunction(x),
  // dx = dy · 2/√π · e^(−x²)
  vjp: ({ x }, dy) => ({ x: mul(dy, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))) }),
});
