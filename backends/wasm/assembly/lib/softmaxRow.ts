// The two passes of a softmax over one row.

import { kept, unknownZero } from "./constant.ts";
import { C2, C3, C4, C5, C6, LN2, LN2_REST, LOG2E, minusExpOfRest, ROUNDER } from "./exponential.ts";
import { madd, sumLanes } from "./simd.ts";

/** Bytes of own space that `rowExp` takes. */
export const SUMS_BYTES: usize = 32;

/**
 * Largest of `count` ≥ 1 elements. NaN is passed over (one instruction instead of eight): it makes e^x NaN, and the
 * sum.
 */
export function rowMax(x: usize, count: i32): f32 {
  if (count < 4) {
    let top = load<f32>(x);
    for (let i = 1; i < count; i++) {
      const value = load<f32>(x + (i << 2));
      if (value > top) top = value;
    }
    return top;
  }
  // The last vector may overlap the one before.
  const last = x + ((<usize>count) << 2) - 16;
  let t0 = v128.load(last);
  let t1 = t0;
  for (; x + 16 < last; x += 32) {
    t0 = f32x4.pmax(t0, v128.load(x));
    t1 = f32x4.pmax(t1, v128.load(x, 16));
  }
  if (x < last) t0 = f32x4.pmax(t0, v128.load(x));
  t0 = f32x4.pmax(t0, t1);
  t0 = f32x4.pmax(t0, v128.shuffle<f32>(t0, t0, 2, 3, 0, 1));
  t0 = f32x4.pmax(t0, v128.shuffle<f32>(t0, t0, 1, 0, 3, 2));
  return f32x4.extract_lane(t0, 0);
}

/**
 * e^v for v ≤ 0, relative error 2e-7; 0 below `low` = -87.3, where results would be denormal; NaN of NaN. All but v are
 * constants of `rowExp`.
 */
@inline
function expNegative(
  v: v128,
  low: v128,
  rounder: v128,
  log2e: v128,
  ln2: v128,
  ln2Rest: v128,
  c6: v128,
  c5: v128,
  c4: v128,
  c3: v128,
  c2: v128,
  minusOne: v128,
): v128 {
  const shifted = madd(v, log2e, rounder);
  const p = minusExpOfRest(v, shifted, rounder, ln2, ln2Rest, c6, c5, c4, c3, c2, minusOne);
  // As bits, −1 plus an exponent is −2ⁿ.
  const power = i32x4.add(minusOne, i32x4.shl(shifted, 23));
  return v128.andnot(f32x4.mul(p, power), f32x4.lt(v, low));
}

/**
 * y = e^(scale·(x − top)) with scale·(x − top) ≤ 0; returns the sum. x and y may be the same. Own space at `sums`:
 * SUMS_BYTES.
 */
export function rowExp(x: usize, y: usize, count: i32, top: f32, scale: f32, sums: usize): f32 {
  const zero = unknownZero(count);
  const low = kept(-87.3, zero);
  const rounder = kept(ROUNDER, zero);
  const log2e = kept(LOG2E, zero);
  const ln2 = kept(LN2, zero);
  const ln2Rest = kept(LN2_REST, zero);
  const c6 = kept(C6, zero);
  const c5 = kept(C5, zero);
  const c4 = kept(C4, zero);
  const c3 = kept(C3, zero);
  const c2 = kept(C2, zero);
  const minusOne = kept(-1, zero);

  const tops = f32x4.splat(top);
  const scales = f32x4.splat(scale);
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let left = count;
  for (; left >= 8; left -= 8) {
    const v0 = f32x4.mul(f32x4.sub(v128.load(x), tops), scales);
    const v1 = f32x4.mul(f32x4.sub(v128.load(x, 16), tops), scales);
    const e0 = expNegative(v0, low, rounder, log2e, ln2, ln2Rest, c6, c5, c4, c3, c2, minusOne);
    const e1 = expNegative(v1, low, rounder, log2e, ln2, ln2Rest, c6, c5, c4, c3, c2, minusOne);
    s0 = f32x4.add(s0, e0);
    s1 = f32x4.add(s1, e1);
    v128.store(y, e0);
    v128.store(y, e1, 16);
    x += 32;
    y += 32;
  }
  v128.store(sums, s0);
  v128.store(sums, s1, 16);
  let sum = sumLanes(f32x4.add(v128.load(sums), v128.load(sums, 16)));
  while (left > 0) {
    const several = left >= 4;
    const from = several ? v128.load(x) : v128.load32_splat(x);
    const v = f32x4.mul(f32x4.sub(from, tops), scales);
    const e = expNegative(v, low, rounder, log2e, ln2, ln2Rest, c6, c5, c4, c3, c2, minusOne);
    if (several) {
      v128.store(y, e);
      sum += sumLanes(e);
      x += 16;
      y += 16;
      left -= 4;
    } else {
      const one = f32x4.extract_lane(e, 0);
      store<f32>(y, one);
      sum += one;
      x += 4;
      y += 4;
      left--;
    }
  }
  return sum;
}

/** y = y · factor. */
export function rowScale(y: usize, count: i32, factor: f32): void {
  const factors = f32x4.splat(factor);
  let left = count;
  for (; left >= 8; left -= 8) {
    v128.store(y, f32x4.mul(v128.load(y), factors));
    v128.store(y, f32x4.mul(v128.load(y, 16), factors), 16);
    y += 32;
  }
  for (; left > 0; left--) {
    store<f32>(y, load<f32>(y) * factor);
    y += 4;
  }
}
