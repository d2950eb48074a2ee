// Group normalisation with scale, shift and activation, and its gradients, a group at a time.

import { sumDeviations, sumProducts, sumRow } from "./lib/moments.ts";
import { sigmoid } from "./lib/sigmoid.ts";
import { madd, sumLanes } from "./lib/simd.ts";

/** One element in all lanes, so that the ends of rows take the same path as the rest. */
@inline
function single(at: usize): v128 {
  return f32x4.splat(load<f32>(at));
}

@inline
function activated(u: v128, silu: bool): v128 {
  return silu ? f32x4.mul(u, sigmoid(u)) : u;
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
  K: i32,
  S: i32,
  ROWS: i32,
  eps: f32,
  silu: i32,
): void {
  const N = K * S;
  for (let row = start; row < end; row++) {
    let from = x + ((<usize>row * <usize>N) << 2);
    let to = y + ((<usize>row * <usize>N) << 2);
    const near = <f32>(sumRow(from, N) / <f64>N);
    const rest = sumDeviations(from, N, near) / <f64>N;
    const variance = sumProducts(from, from, N, near, near) / <f64>N - rest * rest;
    const slope = 1 / Math.sqrt(max<f64>(variance, 0) + <f64>eps);
    const nears = f32x4.splat(near);
    const affine = <usize>((row % ROWS) * K) << 2;
    for (let k = 0; k < K; k++) {
      // x̂ · scale + shift = (x − near) · factor + offset
      const own = <f64>load<f32>(scale + affine + ((<usize>k) << 2)) * slope;
      const factor = f32x4.splat(<f32>own);
      const offset = f32x4.splat(
        <f32>(<f64>load<f32>(shift + affine + ((<usize>k) << 2)) - own * rest),
      );
      let left = S;
      if (silu) {
        for (; left >= 4; left -= 4) {
          const u = madd(f32x4.sub(v128.load(from), nears), factor, offset);
          v128.store(to, activated(u, true));
          from += 16;
          to += 16;
        }
      } else {
        for (; left >= 4; left -= 4) {
          v128.store(to, madd(f32x4.sub(v128.load(from), nears), factor, offset));
          from += 16;
          to += 16;
        }
      }
      for (; left > 0; left--) {
        const u = madd(f32x4.sub(single(from), nears), factor, offset);
        store<f32>(to, f32x4.extract_lane(activated(u, silu != 0), 0));
        from += 4;
        to += 4;
      }
    }
  }
}

/** dy · act'(u). */
@inline
function slopeOf(dy: v128, u: v128, silu: bool): v128 {
  if (!silu) return dy;
  const s = sigmoid(u);
  // s · (1 + u · (1 − s))
  return f32x4.mul(f32x4.mul(dy, s), madd(u, f32x4.sub(f32x4.splat(1), s), f32x4.splat(1)));
}

/** Elements that are summed in f32 before the sum goes to f64. */
const BLOCK: i32 = 512;

/**
 * dScale, dShift [items, K] and dx of `groupNormalizeRows`. dx first holds du · scale, from which it is then made.
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
  K: i32,
  S: i32,
  ROWS: i32,
  eps: f32,
  silu: i32,
): void {
  const N = K * S;
  for (let row = start; row < end; row++) {
    const first = (<usize>row * <usize>N) << 2;
    let from = x + first;
    const near = <f32>(sumRow(from, N) / <f64>N);
    const rest = sumDeviations(from, N, near) / <f64>N;
    const variance = sumProducts(from, from, N, near, near) / <f64>N - rest * rest;
    const inverse = 1 / Math.sqrt(max<f64>(variance, 0) + <f64>eps);
    const nears = f32x4.splat(near);
    const affine = <usize>((row % ROWS) * K) << 2;
    const channel = <usize>(row * K) << 2;
    let cotangent = dy + first;
    let to = dx + first;
    let level: f64 = 0;
    let along: f64 = 0;
    for (let k = 0; k < K; k++) {
      const at = (<usize>k) << 2;
      const weight = load<f32>(scale + affine + at);
      const own = <f64>weight * inverse;
      const factor = f32x4.splat(<f32>own);
      const offset = f32x4.splat(<f32>(<f64>load<f32>(shift + affine + at) - own * rest));
      const weights = f32x4.splat(weight);
      let sum: f64 = 0;
      let product: f64 = 0;
      let left = S;
      while (left >= 4) {
        let block = min(left, BLOCK) & ~3;
        left -= block;
        let sums = f32x4.splat(0);
        let products = sums;
        for (; block > 0; block -= 4) {
          const d = f32x4.sub(v128.load(from), nears);
          const du = slopeOf(v128.load(cotangent), madd(d, factor, offset), silu != 0);
          sums = f32x4.add(sums, du);
          products = madd(du, d, products);
          v128.store(to, f32x4.mul(du, weights));
          from += 16;
          cotangent += 16;
          to += 16;
        }
        sum += <f64>sumLanes(sums);
        product += <f64>sumLanes(products);
      }
      for (; left > 0; left--) {
        const d = f32x4.sub(single(from), nears);
        const du = slopeOf(single(cotangent), madd(d, factor, offset), silu != 0);
        sum += <f64>f32x4.extract_lane(du, 0);
        product += <f64>f32x4.extract_lane(f32x4.mul(du, d), 0);
        store<f32>(to, f32x4.extract_lane(f32x4.mul(du, weights), 0));
        from += 4;
        cotangent += 4;
        to += 4;
      }
      // Products were taken with x − near; x̂ is (x − near − rest) · inverse.
      const normalised = (product - rest * sum) * inverse;
      store<f32>(dScale + channel + at, <f32>normalised);
      store<f32>(dShift + channel + at, <f32>sum);
      level += <f64>weight * sum;
      along += <f64>weight * normalised;
    }
    // dx = inverse · (du · scale − level/N − x̂ · along/N)
    const slope = (-inverse * inverse * along) / <f64>N;
    const base = (-inverse * level) / <f64>N - slope * rest;
    const inverses = f32x4.splat(<f32>inverse);
    const slopes = f32x4.splat(<f32>slope);
    const bases = f32x4.splat(<f32>base);
    from = x + first;
    to = dx + first;
    let left = N;
    for (; left >= 4; left -= 4) {
      const d = f32x4.sub(v128.load(from), nears);
      v128.store(to, madd(v128.load(to), inverses, madd(d, slopes, bases)));
      from += 16;
      to += 16;
    }
    for (; left > 0; left--) {
      const value = load<f32>(to) * <f32>inverse + ((load<f32>(from) - near) * <f32>slope + <f32>base);
      store<f32>(to, value);
      from += 4;
      to += 4;
    }
  }
}
