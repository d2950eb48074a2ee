// The two passes of a softmax over one row.

import { expNegative } from "./expNegative.ts";
import { sumLanes } from "./simd.ts";

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

/** y = e^(scale·(x − top)) with scale·(x − top) ≤ 0; returns the sum. x and y may be the same. */
export function rowExp(x: usize, y: usize, count: i32, top: f32, scale: f32): f32 {
  const tops = f32x4.splat(top);
  const scales = f32x4.splat(scale);
  let sums = f32x4.splat(0);
  let left = count;
  for (; left >= 4; left -= 4) {
    const e = expNegative(f32x4.mul(f32x4.sub(v128.load(x), tops), scales));
    v128.store(y, e);
    sums = f32x4.add(sums, e);
    x += 16;
    y += 16;
  }
  let sum = sumLanes(sums);
  for (; left > 0; left--) {
    const e = f32x4.extract_lane(expNegative(f32x4.splat((load<f32>(x) - top) * scale)), 0);
    store<f32>(y, e);
    sum += e;
    x += 4;
    y += 4;
  }
  return sum;
}

/** y = y · factor. */
export function rowScale(y: usize, count: i32, factor: f32): void {
  const factors = f32x4.splat(factor);
  let left = count;
  for (; left >= 4; left -= 4) {
    v128.store(y, f32x4.mul(v128.load(y), factors));
    y += 16;
  }
  for (; left > 0; left--) {
    store<f32>(y, load<f32>(y) * factor);
    y += 4;
  }
}
