// Sums over a row of numbers, from which means and variances are made.

import { madd, sumLanes } from "./simd.ts";

// The mean is near + rest: x − near is exact where the mean is large beside the deviation, so such rows cost no digits
// beyond those that x itself lacks.

/** Elements that are summed in f32 before the sum goes to f64: keeps rows of any length exact to a few ulp. */
const BLOCK: i32 = 512;

/** Σ x. */
export function sumRow(x: usize, count: i32): f64 {
  let total: f64 = 0;
  let left = count;
  while (left >= 8) {
    let block = min(left, BLOCK) & ~7;
    left -= block;
    let s0 = f32x4.splat(0);
    let s1 = s0;
    for (; block > 0; block -= 8) {
      s0 = f32x4.add(s0, v128.load(x));
      s1 = f32x4.add(s1, v128.load(x, 16));
      x += 32;
    }
    total += <f64>sumLanes(f32x4.add(s0, s1));
  }
  for (; left > 0; left--) {
    total += <f64>load<f32>(x);
    x += 4;
  }
  return total;
}

/** Σ (x − near), which corrects a mean that was summed in f32. */
export function sumDeviations(x: usize, count: i32, near: f32): f64 {
  const nears = f32x4.splat(near);
  let total: f64 = 0;
  let left = count;
  while (left >= 8) {
    let block = min(left, BLOCK) & ~7;
    left -= block;
    let s0 = f32x4.splat(0);
    let s1 = s0;
    for (; block > 0; block -= 8) {
      s0 = f32x4.add(s0, f32x4.sub(v128.load(x), nears));
      s1 = f32x4.add(s1, f32x4.sub(v128.load(x, 16), nears));
      x += 32;
    }
    total += <f64>sumLanes(f32x4.add(s0, s1));
  }
  for (; left > 0; left--) {
    total += <f64>(load<f32>(x) - near);
    x += 4;
  }
  return total;
}

/** Σ (x − near) · y; the square where y is x itself and `yNear` is `near`. */
export function sumProducts(x: usize, y: usize, count: i32, near: f32, yNear: f32): f64 {
  const nears = f32x4.splat(near);
  const yNears = f32x4.splat(yNear);
  let total: f64 = 0;
  let left = count;
  while (left >= 8) {
    let block = min(left, BLOCK) & ~7;
    left -= block;
    let s0 = f32x4.splat(0);
    let s1 = s0;
    for (; block > 0; block -= 8) {
      s0 = madd(f32x4.sub(v128.load(x), nears), f32x4.sub(v128.load(y), yNears), s0);
      s1 = madd(f32x4.sub(v128.load(x, 16), nears), f32x4.sub(v128.load(y, 16), yNears), s1);
      x += 32;
      y += 32;
    }
    total += <f64>sumLanes(f32x4.add(s0, s1));
  }
  for (; left > 0; left--) {
    total += <f64>((load<f32>(x) - near) * (load<f32>(y) - yNear));
    x += 4;
    y += 4;
  }
  return total;
}
