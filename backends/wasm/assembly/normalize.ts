// Rows to mean 0 and variance 1, and the gradient of that.

import { sumDeviations, sumProducts, sumRow } from "./lib/moments.ts";
import { madd } from "./lib/simd.ts";

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
