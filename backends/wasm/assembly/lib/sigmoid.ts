// The logistic function of four lanes.

import { expNegative } from "./expNegative.ts";

/** 1 / (1 + e^−u), relative error 3e-7; NaN of NaN. */
@inline
export function sigmoid(u: v128): v128 {
  const one = f32x4.splat(1);
  const e = expNegative(f32x4.neg(f32x4.abs(u)));
  const high = f32x4.div(one, f32x4.add(one, e));
  return v128.bitselect(f32x4.mul(e, high), high, f32x4.lt(u, f32x4.splat(0)));
}
