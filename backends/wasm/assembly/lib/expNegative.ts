// The exponential of a softmax, whose arguments are never positive.

import { madd } from "./simd.ts";

/**
 * e^x for x ≤ 0, relative error 2e-7; 0 below -87.3, where results would be denormal; NaN of NaN.
 * x = n·ln 2 + r with |r| ≤ ½ ln 2, e^r by a polynomial (Cephes), and n added to the exponent bits.
 */
@inline
export function expNegative(x: v128): v128 {
  // Adding 1.5·2²³ rounds to an integer, which then sits in the low bits; a shift makes it an exponent.
  const magic = f32x4.splat(12582912.0);
  const shifted = madd(x, f32x4.splat(1.44269504), magic);
  const n = f32x4.sub(shifted, magic);
  const r = madd(n, f32x4.splat(2.1219444e-4), madd(n, f32x4.splat(-0.693359375), x));
  let p = f32x4.splat(1.98756915e-4);
  p = madd(p, r, f32x4.splat(1.3981999507e-3));
  p = madd(p, r, f32x4.splat(8.3334519073e-3));
  p = madd(p, r, f32x4.splat(4.1665795894e-2));
  p = madd(p, r, f32x4.splat(1.6666665459e-1));
  p = madd(p, r, f32x4.splat(5.0000001201e-1));
  p = madd(p, f32x4.mul(r, r), f32x4.add(r, f32x4.splat(1)));
  const power = i32x4.add(i32x4.shl(shifted, 23), i32x4.splat(0x3f800000));
  return v128.andnot(f32x4.mul(p, power), f32x4.lt(x, f32x4.splat(-87.3)));
}
