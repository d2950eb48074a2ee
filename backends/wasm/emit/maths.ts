/**
 * Elementary functions of four floats, in polynomials: within about 2 units in the last place, with the NaN, infinities
 * and zeros of the scalar functions. Coefficients of exp, sin and cos are those of Cephes (S. Moshier), those of log of
 * FreeBSD's logf.
 */
import type { Body, Value } from "./body.ts";

/** 1.5·2²³: adding it rounds to the nearest integer, which then stands in the low bits. */
const ROUNDER = 12582912;
const ROUNDER_BITS = 0x4b400000;

/** eˣ. */
export function exp(b: Body, x: Value): Value {
  // Beyond these bounds the result is 0 or infinite anyway. pmin and pmax keep a NaN in their first operand.
  const bounded = b.op("f32x4.pmax", [b.op("f32x4.pmin", [x, b.f32(89)]), b.f32(-104)]);
  // x = n·ln 2 + r,  |r| ≤ ½ ln 2
  const shifted = b.madd(bounded, b.f32(Math.LOG2E), b.f32(ROUNDER));
  const n = b.sub(shifted, b.f32(ROUNDER));
  const r = b.madd(n, b.f32(2.1219444e-4), b.madd(n, b.f32(-0.693359375), bounded));
  const p = b.polynomial(
    r,
    [0.50000001201, 0.16666665459, 4.1665795894e-2, 8.3334519073e-3, 1.3981999507e-3, 1.98756915e-4],
  );
  const y = b.add(b.madd(p, b.mul(r, r), r), b.f32(1));
  // 2ⁿ in two factors, since n goes from -150 to 128.
  const whole = b.op("i32x4.sub", [shifted, b.i32(ROUNDER_BITS)]);
  const half = b.shift("i32x4.shr_s", whole, 1);
  const rest = b.op("i32x4.sub", [whole, half]);
  return b.mul(b.mul(y, powerOfTwo(b, half)), powerOfTwo(b, rest));
}

/** 2ⁿ for integers n from -126 to 127. */
const powerOfTwo = (b: Body, n: Value): Value => b.shift("i32x4.shl", b.op("i32x4.add", [n, b.i32(127)]), 23);

/** ln x; -∞ at 0, NaN below. */
export function log(b: Body, x: Value): Value {
  const tiny = b.op("f32x4.lt", [x, b.f32(2 ** -126)]);
  const scaled = b.select(tiny, b.mul(x, b.f32(2 ** 25)), x);
  const y = logOfNormal(b, scaled, b.op("v128.and", [tiny, b.i32(-25)]));
  const withInfinity = b.select(b.op("f32x4.eq", [x, b.f32(Infinity)]), x, y);
  const zero = b.op("f32x4.eq", [x, b.f32(0)]);
  const defined = b.op("f32x4.ge", [x, b.f32(0)]);
  const withZero = b.select(zero, b.f32(-Infinity), withInfinity);
  return b.op("v128.or", [withZero, b.op("v128.not", [defined])]);
}

/** ln x + extra·ln 2 for normal x > 0. */
function logOfNormal(b: Body, x: Value, extra?: Value): Value {
  // x = 2ᵏ·m,  √½ < m < √2
  const bits = b.op("i32x4.add", [x, b.i32(0x3f800000 - 0x3f3504f3)]);
  const exponent = b.op("i32x4.sub", [b.shift("i32x4.shr_s", bits, 23), b.i32(127)]);
  const k = b.op("f32x4.convert_i32x4_s", [extra ? b.op("i32x4.add", [exponent, extra]) : exponent]);
  const m = b.op("i32x4.add", [b.op("v128.and", [bits, b.i32(0x7fffff)]), b.i32(0x3f3504f3)]);
  const f = b.sub(m, b.f32(1));
  const s = b.div(f, b.add(f, b.f32(2)));
  const z = b.mul(s, s);
  const w = b.mul(z, z);
  const even = b.mul(w, b.polynomial(w, [0.40000972152, 0.24279078841]));
  const odd = b.mul(z, b.polynomial(w, [0.66666662693, 0.28498786688]));
  const square = b.mul(b.f32(0.5), b.mul(f, f));
  const small = b.mul(s, b.add(square, b.add(odd, even)));
  const low = b.sub(b.madd(k, b.f32(9.0580006145e-6), small), square);
  return b.madd(k, b.f32(0.69313812256), b.add(low, f));
}

/** ln(1 + u) for u from 0 to 1. */
export function log1pOfFraction(b: Body, u: Value): Value {
  const w = b.add(u, b.f32(1));
  const lost = b.sub(u, b.sub(w, b.f32(1)));
  return b.add(logOfNormal(b, w), b.div(lost, w));
}

/** ln(1 + x). */
export function log1p(b: Body, x: Value): Value {
  const w = b.add(x, b.f32(1));
  const y = log(b, w);
  const lost = b.sub(x, b.sub(w, b.f32(1)));
  const ends = b.op("v128.or", [b.op("f32x4.eq", [w, b.f32(0)]), b.op("f32x4.eq", [w, b.f32(Infinity)])]);
  return b.select(ends, y, b.add(y, b.div(lost, w)));
}

/** |x| with the sign of `like`. */
const withSign = (b: Body, x: Value, like: Value): Value => b.select(b.i32(0x7fffffff), x, like);

/** tanh x. */
export function tanh(b: Body, x: Value): Value {
  const z = b.mul(x, x);
  const p = b.polynomial(z, [-0.333332819422, 0.133314422036, -5.37397155531e-2, 2.06390887954e-2, -5.70498872745e-3]);
  const near = b.madd(b.mul(p, z), x, x);
  const t = b.op("f32x4.abs", [x]);
  const far = b.sub(b.f32(1), b.div(b.f32(2), b.add(exp(b, b.add(t, t)), b.f32(1))));
  return b.select(b.op("f32x4.lt", [t, b.f32(0.625)]), near, withSign(b, far, x));
}

/** erf x, with the minimax polynomials of N. Juffa: x + x·p(x²) near 0, ±(1 − e^q(|x|)) beyond. */
export function erf(b: Body, x: Value): Value {
  const near = b.polynomial(
    b.mul(x, x),
    [0.128379166, -0.376125336, 0.112819925, -2.67681349e-2, 4.99119423e-3, -5.96761703e-4],
  );
  // From 4 on erf is 1 to the last bit.
  const t = b.op("f32x4.pmin", [b.op("f32x4.abs", [x]), b.f32(4)]);
  const q = b.polynomial(
    t,
    [-0.128717512, -0.634846687, -0.106777877, 2.42546219e-2, -3.88396438e-3, 3.83197126e-4, -1.7285347e-5],
  );
  const far = b.sub(b.f32(1), exp(b, b.sub(b.mul(q, t), t)));
  const small = b.op("f32x4.lt", [t, b.f32(0.927734375)]);
  return b.select(small, b.madd(near, x, x), withSign(b, far, x));
}

/** 1 / (1 + e⁻ˣ). */
export const sigmoid = (b: Body, x: Value): Value => b.div(b.f32(1), onePlusExpOfMinus(b, x));

/** 1 + e⁻ˣ. */
export const onePlusExpOfMinus = (b: Body, x: Value): Value => b.add(b.f32(1), exp(b, b.op("f32x4.neg", [x])));

/** ln(1 + eˣ). */
export function softplus(b: Body, x: Value): Value {
  const fraction = exp(b, b.op("f32x4.neg", [b.op("f32x4.abs", [x])]));
  return b.add(b.op("f32x4.max", [x, b.f32(0)]), log1pOfFraction(b, fraction));
}

/** Above this the reduction by ½π in doubles loses bits; such lanes, if ever, are left to the engine's own function. */
const LARGE = 1e8;

/** sin x or cos x, for any x. */
export function sine(b: Body, x: Value, name: "sin" | "cos"): Value {
  const high = b.op("i8x16.shuffle", [x, x], [8, 9, 10, 11, 12, 13, 14, 15, ...Array(8).fill(0)]);
  const [r0, n0] = reduced(b, x);
  const [r1, n1] = reduced(b, high);
  const join = (low: Value, up: Value) =>
    b.op("i8x16.shuffle", [low, up], [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
  const r = join(r0, r1);
  const quarter = join(n0, n1);
  const turned = name === "cos" ? b.op("i32x4.add", [quarter, b.i32(1)]) : quarter;

  const z = b.mul(r, r);
  const s = b.polynomial(z, [-0.16666654611, 8.3321608736e-3, -1.9515295891e-4]);
  const sin = b.madd(b.mul(s, z), r, r);
  const c = b.polynomial(z, [4.166664568298827e-2, -1.388731625493765e-3, 2.443315711809948e-5]);
  const cos = b.add(b.madd(c, b.mul(z, z), b.mul(z, b.f32(-0.5))), b.f32(1));

  const odd = b.shift("i32x4.shr_s", b.shift("i32x4.shl", turned, 31), 31);
  const sign = b.shift("i32x4.shl", b.op("v128.and", [turned, b.i32(2)]), 30);
  const near = b.op("v128.xor", [b.select(odd, cos, sin), sign]);
  const far = b.op("f32x4.gt", [b.op("f32x4.abs", [x]), b.f32(LARGE)]);
  return b.laneByLane(name, [x], far, near);
}

/** The two low lanes as x = n·½π + r, |r| ≤ ¼π: r as floats and n as integers, in the low lanes. */
function reduced(b: Body, x: Value): [r: Value, n: Value] {
  const wide = b.op("f64x2.promote_low_f32x4", [x]);
  const n = b.op("f64x2.nearest", [b.op("f64x2.mul", [wide, b.f64(2 / Math.PI)])]);
  // ½π in two parts, of which the first has 33 bits: n times it is exact.
  const rough = b.op("f64x2.sub", [wide, b.op("f64x2.mul", [n, b.f64(1.5707963109016418)])]);
  const r = b.op("f64x2.sub", [rough, b.op("f64x2.mul", [n, b.f64(1.5893254773528196e-8)])]);
  return [b.op("f32x4.demote_f64x2_zero", [r]), b.op("i32x4.trunc_sat_f64x2_s_zero", [n])];
}
