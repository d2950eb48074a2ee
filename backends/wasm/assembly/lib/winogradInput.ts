// The transform of rows of patches: from rows of pixels to lanes of tiles.

import { firsts, high, low, seconds } from "./shuffles.ts";
import { inputTransform, inputTransformPair } from "./winogradTransform.ts";
import { WIDE } from "./wide.ts";

/**
 * Transforms the rows of patches, whose columns are transformed, of `groups` times eight tiles of one channel. `patches`
 * lists where they begin from `rows` on; rows are `pitch` bytes apart. Matrix number 6·row + column has them as neighbours at `to` plus
 * its number times `step`.
 */
export function transformTiles(patches: usize, rows: usize, groups: i32, pitch: usize, to: usize, step: usize): void {
  for (; groups > 0; groups--) {
    if (WIDE && areNeighbours(patches)) eightTiles(patches, rows, pitch, to, step);
    else {
      fourTiles(patches, rows, pitch, to, step);
      fourTiles(patches + 16, rows, pitch, to + 16, step);
    }
    patches += 32;
    to += 32;
  }
}

/** Whether every second of eight tiles follows the first in its row. */
@inline
function areNeighbours(patches: usize): bool {
  const distance = i32x4.sub(v128.load(patches, 16), v128.load(patches));
  return i32x4.all_true(i32x4.eq(distance, i32x4.splat(16)));
}

function fourTiles(patches: usize, rows: usize, pitch: usize, to: usize, step: usize): void {
  let p0 = rows + <usize>load<u32>(patches);
  let p1 = rows + <usize>load<u32>(patches, 4);
  let p2 = rows + <usize>load<u32>(patches, 8);
  let p3 = rows + <usize>load<u32>(patches, 12);
  for (let row = 0; row < 6; row++) {
    const l0 = v128.load(p0);
    const l1 = v128.load(p1);
    const l2 = v128.load(p2);
    const l3 = v128.load(p3);
    const e = v128.load64_lane(p1, v128.load64_zero(p0, 16), 1, 16);
    const f = v128.load64_lane(p3, v128.load64_zero(p2, 16), 1, 16);
    const t0 = low(l0, l1);
    const t1 = low(l2, l3);
    const t2 = high(l0, l1);
    const t3 = high(l2, l3);
    inputTransform(
      firsts(t0, t1),
      seconds(t0, t1),
      firsts(t2, t3),
      seconds(t2, t3),
      v128.shuffle<f32>(e, f, 0, 2, 4, 6),
      v128.shuffle<f32>(e, f, 1, 3, 5, 7),
      to,
      step,
    );
    to += 6 * step;
    p0 += pitch;
    p1 += pitch;
    p2 += pitch;
    p3 += pitch;
  }
}

/** Four pairs of neighbours: the second vector of a pair is that of the next tile. */
function eightTiles(patches: usize, rows: usize, pitch: usize, to: usize, step: usize): void {
  let p0 = rows + <usize>load<u32>(patches);
  let p1 = rows + <usize>load<u32>(patches, 4);
  let p2 = rows + <usize>load<u32>(patches, 8);
  let p3 = rows + <usize>load<u32>(patches, 12);
  for (let row = 0; row < 6; row++) {
    const l0 = v128.load(p0);
    const l1 = v128.load(p1);
    const l2 = v128.load(p2);
    const l3 = v128.load(p3);
    const k0 = v128.load(p0, 16);
    const k1 = v128.load(p1, 16);
    const k2 = v128.load(p2, 16);
    const k3 = v128.load(p3, 16);
    const t0 = low(l0, l1);
    const s0 = low(k0, k1);
    const t1 = low(l2, l3);
    const s1 = low(k2, k3);
    const t2 = high(l0, l1);
    const s2 = high(k0, k1);
    const t3 = high(l2, l3);
    const s3 = high(k2, k3);
    // The last two columns of a patch are the first two of the next.
    const m0 = v128.load(p0, 16);
    const m1 = v128.load(p1, 16);
    const m2 = v128.load(p2, 16);
    const m3 = v128.load(p3, 16);
    const n0 = v128.load(p0, 32);
    const n1 = v128.load(p1, 32);
    const n2 = v128.load(p2, 32);
    const n3 = v128.load(p3, 32);
    const u0 = low(m0, m1);
    const w0 = low(n0, n1);
    const u1 = low(m2, m3);
    const w1 = low(n2, n3);
    inputTransformPair(
      firsts(t0, t1),
      seconds(t0, t1),
      firsts(t2, t3),
      seconds(t2, t3),
      firsts(u0, u1),
      seconds(u0, u1),
      firsts(s0, s1),
      seconds(s0, s1),
      firsts(s2, s3),
      seconds(s2, s3),
      firsts(w0, w1),
      seconds(w0, w1),
      to,
      step,
    );
    to += 6 * step;
    p0 += pitch;
    p1 += pitch;
    p2 += pitch;
    p3 += pitch;
  }
}
