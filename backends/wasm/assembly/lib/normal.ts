// Logarithm and sine for Box–Muller, on the narrow ranges that it needs.
import { madd } from "./simd.ts";

/** ln x for 2⁻²⁴ ≤ x ≤ 1. Coefficients of FreeBSD's logf. */
@inline
export function logOfUnit(x: v128): v128 {
  const bits = i32x4.add(x, i32x4.splat(0x3f800000 - 0x3f3504f3));
  const k = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_s(bits, 23), i32x4.splat(127)));
  const m = i32x4.add(v128.and(bits, i32x4.splat(0x7fffff)), i32x4.splat(0x3f3504f3));
  const f = f32x4.sub(m, f32x4.splat(1));
  const s = f32x4.div(f, f32x4.add(f, f32x4.splat(2)));
  const z = f32x4.mul(s, s);
  const w = f32x4.mul(z, z);
  const even = f32x4.mul(w, madd(w, f32x4.splat(0.24279078841), f32x4.splat(0.40000972152)));
  const odd = f32x4.mul(z, madd(w, f32x4.splat(0.28498786688), f32x4.splat(0.66666662693)));
  const square = f32x4.mul(f32x4.splat(0.5), f32x4.mul(f, f));
  const small = f32x4.mul(s, f32x4.add(square, f32x4.add(odd, even)));
  const low = f32x4.sub(madd(k, f32x4.splat(9.0580006145e-6), small), square);
  return madd(k, f32x4.splat(0.69313812256), f32x4.add(low, f));
}

/** sin 2πu for 0 ≤ u < 1, turned by `quarters` quarter turns. Coefficients of Cephes. */
@inline
export function sineOfTurns(u: v128, quarters: i32): v128 {
  // 4u = n + t exactly, |t| ≤ ½
  const scaled = f32x4.mul(u, f32x4.splat(4));
  const n = f32x4.nearest(scaled);
  const r = f32x4.mul(f32x4.sub(scaled, n), f32x4.splat(1.5707963267948966));
  const z = f32x4.mul(r, r);
  const s = madd(madd(z, f32x4.splat(-1.9515295891e-4), f32x4.splat(8.3321608736e-3)), z, f32x4.splat(-0.16666654611));
  const sin = madd(f32x4.mul(s, z), r, r);
  const c = madd(madd(z, f32x4.splat(2.443315711809948e-5), f32x4.splat(-1.388731625493765e-3)), z, f32x4.splat(4.166664568298827e-2));
  const cos = f32x4.add(madd(c, f32x4.mul(z, z), f32x4.mul(z, f32x4.splat(-0.5))), f32x4.splat(1));
  const turned = i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(quarters));
  const odd = i32x4.shr_s(i32x4.shl(turned, 31), 31);
  const sign = i32x4.shl(v128.and(turned, i32x4.splat(2)), 30);
  return v128.xor(v128.bitselect(cos, sin, odd), sign);
}
