// Mean and variance of a row of numbers, in one pass.

import { madd, sumLanes } from "./simd.ts";

/** Elements that are summed in f32 before the sum goes to f64: keeps rows of any length exact to a few ulp. */
export const BLOCK: i32 = 512;

/** Elements that a turn of the loop adds up. */
const STEP: i32 = 16;

/** Where `moments` leaves its results, and the bytes of own space that it takes. */
const NEAR: usize = 64;
const REST: usize = 72;
const VARIANCE: usize = 80;
const TAIL: usize = 128;
export const MOMENTS_BYTES: usize = 192;

/** Sum of two neighbouring vectors of sums. */
@inline
export function sumOfBoth(sums: usize): f64 {
  const low = f64x2.add(
    f64x2.promote_low_f32x4(v128.load64_zero(sums)),
    f64x2.promote_low_f32x4(v128.load64_zero(sums, 16)),
  );
  const high = f64x2.add(
    f64x2.promote_low_f32x4(v128.load64_zero(sums, 8)),
    f64x2.promote_low_f32x4(v128.load64_zero(sums, 24)),
  );
  const both = f64x2.add(low, high);
  return f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
}

/** The mean is near + rest: x − near is exact where the mean is large beside the deviation, so such rows lose no digits. */
@inline
export function nearOf(own: usize): f32 {
  return <f32>load<f64>(own + NEAR);
}
@inline
export function restOf(own: usize): f64 {
  return load<f64>(own + REST);
}
@inline
export function varianceOf(own: usize): f64 {
  return load<f64>(own + VARIANCE);
}

/**
 * Moments of a row of `count` ≥ 1 elements, by the sums of d = x − near and of d². `near` is first the mean of a sample;
 * where that was so far off that var = mean(d²) − mean(d)² loses a bit, the sums are taken again about the mean found.
 */
export function moments(x: usize, count: i32, own: usize): void {
  let near = sampleMean(x, count);
  let rest = sumDeviations(x, count, near, own);
  if (16 * rest * rest > load<f64>(own + VARIANCE)) {
    near = <f32>(<f64>near + rest);
    rest = sumDeviations(x, count, near, own);
  }
  const mean = <f64>near + rest;
  store<f64>(own + NEAR, <f64>(<f32>mean));
  store<f64>(own + REST, mean - <f64>(<f32>mean));
}

/** Mean of up to 16 vectors all over the row. */
function sampleMean(x: usize, count: i32): f32 {
  const vectors = count >> 2;
  if (vectors == 0) return load<f32>(x);
  const taken = min(vectors, 16);
  const step = (<usize>(vectors / taken)) << 4;
  let sums = f32x4.splat(0);
  for (let i = 0; i < taken; i++) {
    sums = f32x4.add(sums, v128.load(x));
    x += step;
  }
  return sumLanes(sums) / <f32>(taken << 2);
}

/** mean(x − near); the variance goes to `own`. */
function sumDeviations(x: usize, count: i32, near: f32, own: usize): f64 {
  let sum: f64 = 0;
  let square: f64 = 0;
  let left = count;
  while (left > 0) {
    let block = min(left, BLOCK);
    let from = x;
    if (block < STEP) {
      // What is missing in the last step deviates by nothing.
      for (let i = 0; i < STEP; i++) {
        const at = (<usize>i) << 2;
        store<f32>(own + TAIL + at, i < block ? load<f32>(x + at) : near);
      }
      from = own + TAIL;
      block = STEP;
    } else block &= ~(STEP - 1);
    deviate(from, block, near, own);
    sum += sumOfBoth(own);
    square += sumOfBoth(own + 32);
    x += (<usize>block) << 2;
    left -= block;
  }
  const rest = sum / <f64>count;
  store<f64>(own + VARIANCE, max<f64>(square / <f64>count - rest * rest, 0));
  return rest;
}

/** Σ d and Σ d² over a multiple of STEP elements, to two vectors each, whose lanes are yet to be added up. */
function deviate(x: usize, count: i32, near: f32, sums: usize): void {
  const nears = f32x4.splat(near);
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let q0 = s0;
  let q1 = s0;
  let q2 = s0;
  let q3 = s0;
  for (; count > 0; count -= STEP) {
    const d0 = f32x4.sub(v128.load(x), nears);
    const d1 = f32x4.sub(v128.load(x, 16), nears);
    const d2 = f32x4.sub(v128.load(x, 32), nears);
    const d3 = f32x4.sub(v128.load(x, 48), nears);
    s0 = f32x4.add(s0, d0);
    s1 = f32x4.add(s1, d1);
    s2 = f32x4.add(s2, d2);
    s3 = f32x4.add(s3, d3);
    q0 = madd(d0, d0, q0);
    q1 = madd(d1, d1, q1);
    q2 = madd(d2, d2, q2);
    q3 = madd(d3, d3, q3);
    x += 64;
  }
  v128.store(sums, f32x4.add(s0, s2));
  v128.store(sums, f32x4.add(s1, s3), 16);
  v128.store(sums, f32x4.add(q0, q2), 32);
  v128.store(sums, f32x4.add(q1, q3), 48);
}

/** mean(y) and mean((x − near)·y), to the first two doubles of `own`. */
export function meanProducts(x: usize, y: usize, count: i32, near: f32, own: usize): void {
  let sum: f64 = 0;
  let product: f64 = 0;
  let left = count;
  while (left > 0) {
    let block = min(left, BLOCK);
    let from = x;
    let other = y;
    if (block < 8) {
      for (let i = 0; i < 8; i++) {
        const at = (<usize>i) << 2;
        store<f32>(own + TAIL + at, i < block ? load<f32>(x + at) : near);
        store<f32>(own + TAIL + at, i < block ? load<f32>(y + at) : 0, 32);
      }
      from = own + TAIL;
      other = from + 32;
      block = 8;
    } else block &= ~7;
    multiply(from, other, block, near, own);
    sum += sumOfBoth(own);
    product += sumOfBoth(own + 32);
    x += (<usize>block) << 2;
    y += (<usize>block) << 2;
    left -= block;
  }
  store<f64>(own, sum / <f64>count);
  store<f64>(own, product / <f64>count, 8);
}

/** Σ y and Σ (x − near)·y over a multiple of 8 elements, to two vectors each. */
function multiply(x: usize, y: usize, count: i32, near: f32, sums: usize): void {
  const nears = f32x4.splat(near);
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let p0 = s0;
  let p1 = s0;
  for (; count > 0; count -= 8) {
    const y0 = v128.load(y);
    const y1 = v128.load(y, 16);
    s0 = f32x4.add(s0, y0);
    s1 = f32x4.add(s1, y1);
    p0 = madd(f32x4.sub(v128.load(x), nears), y0, p0);
    p1 = madd(f32x4.sub(v128.load(x, 16), nears), y1, p1);
    x += 32;
    y += 32;
  }
  v128.store(sums, s0);
  v128.store(sums, s1, 16);
  v128.store(sums, p0, 32);
  v128.store(sums, p1, 48);
}
