import { add } from "./add.ts";
import { erf } from "./erf.ts";
import { errorFunction } from "./errorFunction.ts";
import { exp } from "./exp.ts";
import { mul } from "./mul.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";
import { square } from "./square.ts";

/** y = x · Φ(x), with the normal distribution function Φ(x) = ½ (1 + erf(x/√2)): the exact GELU. */
export const gelu: Op<[x: TensorLike]> = defineElementwise({
  name: "gelu",
  inputs: "x",
  scalar: (x) => 0.5 * x * (1 + errorFunction(x * Math.SQRT1_2)),
  // dx = dy · (Φ(x) + x · φ(x)),   φ(x) = e^(−x²/2) / √(2π)
  vjp: ({ x }, dy) => {
    const distribution = mul(add(1, erf(mul(x, Math.SQRT1_2))), 0.5);
    const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return { x: mul(dy, add(distribution, mul(x, density))) };
  },
});
