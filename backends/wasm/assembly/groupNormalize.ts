// Group normalisation with scale, shift and activation, and its gradients, a group at a time.

import { moments, MOMENTS_BYTES, nearOf, restOf, varianceOf } from "./lib/moments.ts";
import { CHANNEL_BYTES, PAIR, PRODUCT, SUM, transform } from "./lib/silu.ts";
import { madd } from "./lib/simd.ts";

// Own space: moments, numbers of the channels, and three times [K][PAIR] for what is left of the channels' elements after
// the last whole pair of vectors: x, dy, and what is made of them.

@inline
function channelsOf(own: usize): usize {
  return own + MOMENTS_BYTES;
}
@inline
function endsOf(own: usize, K: i32): usize {
  return own + MOMENTS_BYTES + CHANNEL_BYTES * <usize>K;
}

/** Moments of a group, and the numbers of its channels; factor and offset times `sign`. Returns 1 / √(var + eps). */
function prepare(
  x: usize,
  scale: usize,
  shift: usize,
  own: usize,
  K: i32,
  S: i32,
  eps: f32,
  sign: f32,
): f64 {
  moments(x, K * S, own);
  const inverse = 1 / Math.sqrt(varianceOf(own) + <f64>eps);
  let channel = channelsOf(own);
  for (let k = 0; k < K; k++) {
    // x̂ · scale + shift = (x − near) · factor + offset
    const at = (<usize>k) << 2;
    const factor = <f64>load<f32>(scale + at) * inverse;
    store<f32>(channel, <f32>factor * sign);
    store<f32>(channel, <f32>(<f64>load<f32>(shift + at) - factor * restOf(own)) * sign, 4);
    store<f64>(channel, 0, SUM);
    store<f64>(channel, 0, PRODUCT);
    channel += CHANNEL_BYTES;
  }
  return inverse;
}

/** `transform` of a whole group. */
function transformGroup(
  x: usize,
  dy: usize,
  y: usize,
  own: usize,
  K: i32,
  S: i32,
  silu: i32,
  gradient: i32,
): void {
  const whole = S & ~(PAIR - 1);
  const near = nearOf(own);
  const channels = channelsOf(own);
  if (whole > 0) transform(x, dy, y, near, channels, own, K, whole, S, silu, gradient);
  const left = S - whole;
  if (left == 0) return;
  const bytes = (<usize>(K * PAIR)) << 2;
  const xEnds = endsOf(own, K);
  const dyEnds = xEnds + bytes;
  const yEnds = dyEnds + bytes;
  const last = (<usize>whole) << 2;
  // Where dy is 0, so is its product, which adds nothing to the sums.
  memory.fill(xEnds, 0, bytes * 2);
  copyEnds(x + last, S, xEnds, PAIR, K, left);
  if (gradient) copyEnds(dy + last, S, dyEnds, PAIR, K, left);
  transform(xEnds, dyEnds, yEnds, near, channels, own, K, PAIR, PAIR, silu, gradient);
  copyEnds(yEnds, PAIR, y + last, S, K, left);
}

/** Copies `count` elements of K rows. */
function copyEnds(from: usize, fromPitch: i32, to: usize, toPitch: i32, K: i32, count: i32): void {
  for (let k = 0; k < K; k++) {
    for (let i = 0; i < count; i++) {
      const at = (<usize>i) << 2;
      store<f32>(to + at, load<f32>(from + at));
    }
    from += (<usize>fromPitch) << 2;
    to += (<usize>toPitch) << 2;
  }
}

/**
 * y = act(x̂ · scale + shift). An item is a group: K channels of S elements; scale and shift [ROWS, K] are taken at the
 * item's number modulo ROWS.
 */
export function groupNormalizeRows(
  start: i32,
  end: i32,
  x: usize,
  scale: usize,
  shift: usize,
  y: usize,
  own: usize,
  K: i32,
  S: i32,
  ROWS: i32,
  eps: f32,
  silu: i32,
): void {
  for (let row = start; row < end; row++) {
    const first = (<usize>row * <usize>(K * S)) << 2;
    const affine = (<usize>((row % ROWS) * K)) << 2;
    prepare(x + first, scale + affine, shift + affine, own, K, S, eps, silu ? -1 : 1);
    transformGroup(x + first, 0, y + first, own, K, S, silu, 0);
  }
}

/**
 * dScale, dShift [items, K] and dx of `groupNormalizeRows`. dx first holds du = dy · act'(u), from which it is then made.
 */
export function groupNormalizeGradRows(
  start: i32,
  end: i32,
  x: usize,
  scale: usize,
  shift: usize,
  dy: usize,
  dx: usize,
  dScale: usize,
  dShift: usize,
  own: usize,
  K: i32,
  S: i32,
  ROWS: i32,
  eps: f32,
  silu: i32,
): void {
  const N = <f64>(K * S);
  const sign: f32 = silu ? -1 : 1;
  for (let row = start; row < end; row++) {
    const first = (<usize>row * <usize>(K * S)) << 2;
    const affine = (<usize>((row % ROWS) * K)) << 2;
    const inverse = prepare(x + first, scale + affine, shift + affine, own, K, S, eps, sign);
    transformGroup(x + first, dy + first, dx + first, own, K, S, silu, 1);
    let level: f64 = 0;
    let along: f64 = 0;
    let channel = channelsOf(own);
    for (let k = 0; k < K; k++) {
      const weight = <f64>load<f32>(scale + affine + ((<usize>k) << 2));
      const sum = load<f64>(channel, SUM);
      // Products were taken with x − near; x̂ is (x − near − rest) · inverse.
      const normalised = (load<f64>(channel, PRODUCT) - restOf(own) * sum) * inverse;
      const at = (<usize>(row * K + k)) << 2;
      store<f32>(dScale + at, <f32>normalised);
      store<f32>(dShift + at, <f32>sum);
      level += weight * sum;
      along += weight * normalised;
      channel += CHANNEL_BYTES;
    }
    // dx = inverse · (du · scale − level/N − x̂ · along/N)
    const slope = (-inverse * inverse * along) / N;
    const base = (-inverse * level) / N - slope * restOf(own);
    finishGrad(x + first, dx + first, own, K, S, sign, <f32>slope, <f32>base);
  }
}

/** dx = du · scale · inverse + (x − near) · slope + base, in place. */
function finishGrad(
  x: usize,
  dx: usize,
  own: usize,
  K: i32,
  S: i32,
  sign: f32,
  slope: f32,
  base: f32,
): void {
  const near = nearOf(own);
  const nears = f32x4.splat(near);
  const slopes = f32x4.splat(slope);
  const bases = f32x4.splat(base);
  let channel = channelsOf(own);
  for (let k = 0; k < K; k++) {
    const factor = load<f32>(channel) * sign;
    const factors = f32x4.splat(factor);
    channel += CHANNEL_BYTES;
    let left = S;
    for (; left >= PAIR; left -= PAIR) {
      const d0 = f32x4.sub(v128.load(x), nears);
      const d1 = f32x4.sub(v128.load(x, 16), nears);
      v128.store(dx, madd(v128.load(dx), factors, madd(d0, slopes, bases)));
      v128.store(dx, madd(v128.load(dx, 16), factors, madd(d1, slopes, bases)), 16);
      x += 32;
      dx += 32;
    }
    for (; left > 0; left--) {
      store<f32>(dx, load<f32>(dx) * factor + ((load<f32>(x) - near) * slope + base));
      x += 4;
      dx += 4;
    }
  }
}
