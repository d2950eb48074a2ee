// SiLU of an affine function, and its slope, for channels of pixels.

import { kept, unknownZero } from "./constant.ts";
import { C2, C3, C4, C5, C6, LN2, LN2_REST, LOG2E, minusExpOfRest, ROUNDER } from "./exponential.ts";
import { BLOCK, sumOfBoth } from "./moments.ts";
import { madd } from "./simd.ts";

/** Elements that a turn of the loops takes: two vectors side by side. */
export const PAIR: i32 = 8;

/**
 * A channel's numbers: factor and offset (f32) of u = (x − near) · factor + offset, both negated for SiLU, which needs
 * −u; sums of du and of du · (x − near) (f64).
 */
export const CHANNEL_BYTES: usize = 24;
const OFFSET: usize = 4;
export const SUM: usize = 8;
export const PRODUCT: usize = 16;

/**
 * −1 − e^v, relative error 2e-7; beyond ±87 as for ±87, since results there would be denormal. Of a NaN it may be any
 * number: whoever multiplies by v has NaN then. All but v are constants of `transform`, of which this sum needs one less
 * than 1 + e^v would.
 */
@inline
function minusOneMinusExp(
  v: v128,
  high: v128,
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
  const bounded = f32x4.pmax(f32x4.pmin(v, high), low);
  const shifted = madd(bounded, log2e, rounder);
  const p = minusExpOfRest(bounded, shifted, rounder, ln2, ln2Rest, c6, c5, c4, c3, c2, minusOne);
  return f32x4.add(minusOne, i32x4.add(p, i32x4.shl(shifted, 23)));
}

/**
 * Of `count` elements of each channel, a multiple of PAIR, the channels `pitch` elements apart: y = act(u), or for
 * gradients y = dy · act'(u), with the sums of that added to the channel's. Own space: 64 bytes.
 */
export function transform(
  x: usize,
  dy: usize,
  y: usize,
  near: f32,
  channel: usize,
  own: usize,
  K: i32,
  count: i32,
  pitch: i32,
  silu: i32,
  gradient: i32,
): void {
  const zero = unknownZero(count);
  const high = kept(87, zero);
  const low = kept(-87, zero);
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

  const nears = f32x4.splat(near);
  const skip = (<usize>(pitch - count)) << 2;
  for (let k = 0; k < K; k++) {
    const factor = v128.load32_splat(channel);
    const offset = v128.load32_splat(channel, OFFSET);
    let left = count;
    while (left > 0) {
      let block = min(left, BLOCK);
      left -= block;
      if (!gradient) {
        if (silu) {
          for (; block > 0; block -= PAIR) {
            const v0 = madd(f32x4.sub(v128.load(x), nears), factor, offset);
            const v1 = madd(f32x4.sub(v128.load(x, 16), nears), factor, offset);
            const e0 = minusOneMinusExp(v0, high, low, rounder, log2e, ln2, ln2Rest, c6, c5, c4, c3, c2, minusOne);
            const e1 = minusOneMinusExp(v1, high, low, rounder, log2e, ln2, ln2Rest, c6, c5, c4, c3, c2, minusOne);
            v128.store(y, f32x4.div(v0, e0));
            v128.store(y, f32x4.div(v1, e1), 16);
            x += 32;
            y += 32;
          }
        } else {
          for (; block > 0; block -= PAIR) {
            v128.store(y, madd(f32x4.sub(v128.load(x), nears), factor, offset));
            v128.store(y, madd(f32x4.sub(v128.load(x, 16), nears), factor, offset), 16);
            x += 32;
            y += 32;
          }
        }
        continue;
      }
      let s0 = f32x4.splat(0);
      let s1 = s0;
      let p0 = s0;
      let p1 = s0;
      if (silu) {
        for (; block > 0; block -= PAIR) {
          const d0 = f32x4.sub(v128.load(x), nears);
          const d1 = f32x4.sub(v128.load(x, 16), nears);
          const v0 = madd(d0, factor, offset);
          const v1 = madd(d1, factor, offset);
          const e0 = minusOneMinusExp(v0, high, low, rounder, log2e, ln2, ln2Rest, c6, c5, c4, c3, c2, minusOne);
          const e1 = minusOneMinusExp(v1, high, low, rounder, log2e, ln2, ln2Rest, c6, c5, c4, c3, c2, minusOne);
          // With the logistic function l, act'(u) = l + l · u · (1 − l).
          const l0 = f32x4.div(minusOne, e0);
          const l1 = f32x4.div(minusOne, e1);
          const du0 = f32x4.mul(v128.load(dy), madd(l0, f32x4.mul(v0, f32x4.add(l0, minusOne)), l0));
          const du1 = f32x4.mul(v128.load(dy, 16), madd(l1, f32x4.mul(v1, f32x4.add(l1, minusOne)), l1));
          s0 = f32x4.add(s0, du0);
          s1 = f32x4.add(s1, du1);
          p0 = madd(du0, d0, p0);
          p1 = madd(du1, d1, p1);
          v128.store(y, du0);
          v128.store(y, du1, 16);
          x += 32;
          dy += 32;
          y += 32;
        }
      } else {
        for (; block > 0; block -= PAIR) {
          const du0 = v128.load(dy);
          const du1 = v128.load(dy, 16);
          s0 = f32x4.add(s0, du0);
          s1 = f32x4.add(s1, du1);
          p0 = madd(du0, f32x4.sub(v128.load(x), nears), p0);
          p1 = madd(du1, f32x4.sub(v128.load(x, 16), nears), p1);
          v128.store(y, du0);
          v128.store(y, du1, 16);
          x += 32;
          dy += 32;
          y += 32;
        }
      }
      v128.store(own, s0);
      v128.store(own, s1, 16);
      v128.store(own, p0, 32);
      v128.store(own, p1, 48);
      store<f64>(channel, load<f64>(channel, SUM) + sumOfBoth(own), SUM);
      store<f64>(channel, load<f64>(channel, PRODUCT) + sumOfBoth(own + 32), PRODUCT);
    }
    channel += CHANNEL_BYTES;
    x += skip;
    dy += skip;
    y += skip;
  }
}
