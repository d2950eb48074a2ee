// Rows to mean 0 and variance 1, and the gradient of that.

import { meanProducts, moments, nearOf, restOf, varianceOf } from "./lib/moments.ts";
import { madd } from "./lib/simd.ts";

/** y = (x − mean) / √(var + eps). An item is a row of N. Own space: MOMENTS_BYTES. */
export function normalizeRows(start: i32, end: i32, x: usize, y: usize, own: usize, N: i32, eps: f32): void {
  for (let row = start; row < end; row++) {
    let from = x + ((<usize>(row * N)) << 2);
    let to = y + ((<usize>(row * N)) << 2);
    moments(from, N, own);
    const near = nearOf(own);
    const rest = <f32>restOf(own);
    const scale = <f32>(1 / Math.sqrt(varianceOf(own) + <f64>eps));
    const nears = f32x4.splat(near);
    const rests = f32x4.splat(rest);
    const scales = f32x4.splat(scale);
    let left = N;
    for (; left >= 8; left -= 8) {
      v128.store(to, f32x4.mul(f32x4.sub(f32x4.sub(v128.load(from), nears), rests), scales));
      v128.store(to, f32x4.mul(f32x4.sub(f32x4.sub(v128.load(from, 16), nears), rests), scales), 16);
      from += 32;
      to += 32;
    }
    for (; left > 0; left--) {
      store<f32>(to, (load<f32>(from) - near - rest) * scale);
      from += 4;
      to += 4;
    }
  }
}

/**
 * dx = (dy − mean(dy) − y · mean(dy · y)) / √(var + eps), y from x. An item is a row of N. Own space: MOMENTS_BYTES.
 */
export function normalizeGradRows(
  start: i32,
  end: i32,
  x: usize,
  dy: usize,
  dx: usize,
  own: usize,
  N: i32,
  eps: f32,
): void {
  for (let row = start; row < end; row++) {
    let from = x + ((<usize>(row * N)) << 2);
    let cotangent = dy + ((<usize>(row * N)) << 2);
    let to = dx + ((<usize>(row * N)) << 2);
    moments(from, N, own);
    const near = nearOf(own);
    const restOfMean = restOf(own);
    const rest = <f32>restOfMean;
    const scale = 1 / Math.sqrt(varianceOf(own) + <f64>eps);
    meanProducts(from, cotangent, N, near, own);
    const meanDy = load<f64>(own);
    const product = load<f64>(own, 8) - restOfMean * meanDy;
    const shift = <f32>(-scale * meanDy);
    const slope = <f32>(-scale * scale * scale * product);
    const scale32 = <f32>scale;
    const nears = f32x4.splat(near);
    const rests = f32x4.splat(rest);
    const scales = f32x4.splat(scale32);
    const shifts = f32x4.splat(shift);
    const slopes = f32x4.splat(slope);
    let left = N;
    for (; left >= 8; left -= 8) {
      const d0 = f32x4.sub(f32x4.sub(v128.load(from), nears), rests);
      const d1 = f32x4.sub(f32x4.sub(v128.load(from, 16), nears), rests);
      v128.store(to, madd(d0, slopes, madd(v128.load(cotangent), scales, shifts)));
      v128.store(to, madd(d1, slopes, madd(v128.load(cotangent, 16), scales, shifts)), 16);
      from += 32;
      cotangent += 32;
      to += 32;
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
