// Rows to mean 0 and variance 1, and the gradient of that.

import { madd, sumLanes } from "./lib/simd.ts";

// The mean is near + rest: x − near is exact where the mean is large beside the deviation, so such rows cost no digits
// beyond those that x itself lacks.

/** Elements that are summed in f32 before the sum goes to f64: keeps rows of any length exact to a few ulp. */
const BLOCK: i32 = 512;

/** Σ x. */
function sumRow(x: usize, count: i32): f64 {
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
function sumDeviations(x: usize, count: i32, near: f32): f64 {
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
function sumProducts(x: usize, y: usize, count: i32, near: f32, yNear: f32): f64 {
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

/** y = (x − mean) / √(var + eps). An item is a row of N. */
export function normalizeRows(start: i32, end: i32, x: usize, y: usize, N: i32, eps: f32): void {
  for (let row = start; row < end; row++) {
    let from = x + ((<usize>(row * N)) << 2);
    let to = y + ((<usize>(row * N)) << 2);
    const near = <f32>(sumRow(from, N) / <f64>N);
    const shiftOfMean = sumDeviations(from, N, near) / <f64>N;
    const variance = sumProducts(from, from, N, near, near) / <f64>N - shiftOfMean * shiftOfMean;
    const rest = <f32>shiftOfMean;
    const scale = <f32>(1 / Math.sqrt(max<f64>(variance, 0) + <f64>eps));
    const nears = f32x4.splat(near);
    const rests = f32x4.splat(rest);
    const scales = f32x4.splat(scale);
    let left = N;
    for (; left >= 4; left -= 4) {
      v128.store(to, f32x4.mul(f32x4.sub(f32x4.sub(v128.load(from), nears), rests), scales));
      from += 16;
      to += 16;
    }
    for (; left > 0; left--) {
      store<f32>(to, (load<f32>(from) - near - rest) * scale);
      from += 4;
      to += 4;
    }
  }
}

/** dx = (dy − mean(dy) − y · mean(dy · y)) / √(var + eps), y from x. An item is a row of N. */
export function normalizeGradRows(
  start: i32,
  end: i32,
  x: usize,
  dy: usize,
  dx: usize,
  N: i32,
  eps: f32,
): void {
  for (let row = start; row < end; row++) {
    let from = x + ((<usize>(row * N)) << 2);
    let cotangent = dy + ((<usize>(row * N)) << 2);
    let to = dx + ((<usize>(row * N)) << 2);
    const near = <f32>(sumRow(from, N) / <f64>N);
    const shiftOfMean = sumDeviations(from, N, near) / <f64>N;
    const variance = sumProducts(from, from, N, near, near) / <f64>N - shiftOfMean * shiftOfMean;
    const rest = <f32>shiftOfMean;
    const scale = 1 / Math.sqrt(max<f64>(variance, 0) + <f64>eps);
    const meanDy = sumRow(cotangent, N) / <f64>N;
    const product = sumProducts(from, cotangent, N, near, 0) / <f64>N - shiftOfMean * meanDy;
    const shift = <f32>(-scale * meanDy);
    const slope = <f32>(-scale * scale * scale * product);
    const scale32 = <f32>scale;
    const nears = f32x4.splat(near);
    const rests = f32x4.splat(rest);
    const scales = f32x4.splat(scale32);
    const shifts = f32x4.splat(shift);
    const slopes = f32x4.splat(slope);
    let left = N;
    for (; left >= 4; left -= 4) {
      const d = f32x4.sub(f32x4.sub(v128.load(from), nears), rests);
      v128.store(to, madd(d, slopes, madd(v128.load(cotangent), scales, shifts)));
      from += 16;
      cotangent += 16;
      to += 16;
    }
    for (; left > 0; left--) {
      const d = load<f32>(from) - near - rest;
      store<f32>(to, d * slope + (load<f32>(cotangent) * scale32 + shift));
      from += 4;
      cotangent += 4;
      to += 4;
    }
  }
}
