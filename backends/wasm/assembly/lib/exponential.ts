// e^v = 2^n · e^r: what the kernels' exponentials share. v = n·ln 2 + r with |r| ≤ ½ ln 2.

import { madd } from "./simd.ts";

/** 1.5·2²³: adding it rounds to an integer, which then sits in the low bits; a shift makes it an exponent. */
export const ROUNDER: f32 = 12582912;
export const LOG2E: f32 = 1.44269504;
/** −ln 2, in two parts so that n times the first is exact, unless a fused multiply-add makes that unnecessary. */
export const LN2: f32 = ASC_FEATURE_RELAXED_SIMD ? -0.69314718056 : -0.693359375;
export const LN2_REST: f32 = 2.1219444e-4;
/** Of a minimax polynomial for −e^r, relative error 3e-9. */
export const C6: f32 = -1.381453989567561e-3;
export const C5: f32 = -8.36874512687594e-3;
export const C4: f32 = -4.1668390789377244e-2;
export const C3: f32 = -0.16666520398849205;
export const C2: f32 = -0.499999934321003;

/**
 * −e^r for v and `shifted` = v · LOG2E + ROUNDER. The others are the constants above, which whoever calls this in a loop
 * has `kept`.
 */
@inline
export function minusExpOfRest(
  v: v128,
  shifted: v128,
  rounder: v128,
  ln2: v128,
  ln2Rest: v128,
  c6: v128,
  c5: v128,
  c4: v128,
  c3: v128,
  c2: v128,
  minusOne: v128,
): v128 {
  const n = f32x4.sub(shifted, rounder);
  let r = madd(n, ln2, v);
  if (!ASC_FEATURE_RELAXED_SIMD) r = madd(n, ln2Rest, r);
  let p = c6;
  p = madd(p, r, c5);
  p = madd(p, r, c4);
  p = madd(p, r, c3);
  p = madd(p, r, c2);
  p = madd(p, r, minusOne);
  return madd(p, r, minusOne);
}
