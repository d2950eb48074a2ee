// From products of all 36 matrices to tiles of 4 × 4 pixels.

import { firsts, high, low, seconds } from "./shuffles.ts";
import { output0, output1, output2, output3, storePair } from "./winogradTransform.ts";

/** Bytes of an entry of a list of tiles: the address in the first channel, then 16 · rows + columns that are wanted. */
export const TILE_ENTRY: usize = 8;
/** A tile without a clipped edge. */
const WHOLE: i32 = 0x44;

/**
 * Writes four tiles, whose products lie as neighbours at `from` plus the matrix's number times `step`, to the addresses
 * of `entries` of the plane at `channel`; rows of the image are `line` bytes apart. Scratch: 24 vectors.
 */
export function writeTiles(
  from: usize,
  step: usize,
  scratch: usize,
  entries: usize,
  channel: usize,
  line: usize,
): void {
  const row = 6 * step;
  let t = scratch;
  for (let column = 0; column < 6; column++) {
    let at = from;
    const m0 = v128.load(at);
    at += row;
    const m1 = v128.load(at);
    at += row;
    const m2 = v128.load(at);
    at += row;
    const m3 = v128.load(at);
    at += row;
    const m4 = v128.load(at);
    at += row;
    const m5 = v128.load(at);
    const p = f32x4.add(m1, m2);
    const d = f32x4.sub(m1, m2);
    const r = f32x4.add(m3, m4);
    const s = f32x4.sub(m3, m4);
    v128.store(t, output0(m0, p, r));
    v128.store(t, output1(d, s), 96);
    v128.store(t, output2(p, r), 192);
    v128.store(t, output3(d, s, m5), 288);
    t += 16;
    from += step;
  }
  writeRows(scratch, 16, entries, channel, line);
}

/** Transforms rows of four tiles, whose columns are transformed, at `t`: 4 rows of 6 vectors, `step` bytes apart. */
function writeRows(t: usize, step: usize, entries: usize, channel: usize, line: usize): void {
  let a0 = channel + ((<usize>load<i32>(entries)) << 2);
  let a1 = channel + ((<usize>load<i32>(entries, 8)) << 2);
  let a2 = channel + ((<usize>load<i32>(entries, 16)) << 2);
  let a3 = channel + ((<usize>load<i32>(entries, 24)) << 2);
  const e0 = load<i32>(entries, 4);
  const e1 = load<i32>(entries, 12);
  const e2 = load<i32>(entries, 20);
  const e3 = load<i32>(entries, 28);
  const whole = e0 == WHOLE && e1 == WHOLE && e2 == WHOLE && e3 == WHOLE;
  for (let i = 1; i <= 4; i++) {
    const m0 = v128.load(t);
    t += step;
    const m1 = v128.load(t);
    t += step;
    const m2 = v128.load(t);
    t += step;
    const m3 = v128.load(t);
    t += step;
    const m4 = v128.load(t);
    t += step;
    const m5 = v128.load(t);
    t += step;
    const p = f32x4.add(m1, m2);
    const d = f32x4.sub(m1, m2);
    const r = f32x4.add(m3, m4);
    const s = f32x4.sub(m3, m4);
    const l0 = output0(m0, p, r);
    const l1 = output1(d, s);
    const l2 = output2(p, r);
    const l3 = output3(d, s, m5);
    const t0 = low(l0, l1);
    const t1 = low(l2, l3);
    const t2 = high(l0, l1);
    const t3 = high(l2, l3);
    if (whole) {
      v128.store(a0, firsts(t0, t1));
      v128.store(a1, seconds(t0, t1));
      v128.store(a2, firsts(t2, t3));
      v128.store(a3, seconds(t2, t3));
    } else {
      if (i <= e0 >> 4) storeColumns(a0, firsts(t0, t1), e0 & 15);
      if (i <= e1 >> 4) storeColumns(a1, seconds(t0, t1), e1 & 15);
      if (i <= e2 >> 4) storeColumns(a2, firsts(t2, t3), e2 & 15);
      if (i <= e3 >> 4) storeColumns(a3, seconds(t2, t3), e3 & 15);
    }
    a0 += line;
    a1 += line;
    a2 += line;
    a3 += line;
  }
}

@inline
function storeColumns(to: usize, value: v128, columns: i32): void {
  if (columns == 4) v128.store(to, value);
  else if (columns == 1) v128.store32_lane(to, value, 0);
  else {
    v128.store64_lane(to, value, 0);
    if (columns == 3) v128.store32_lane(to, value, 2, 8);
  }
}

/** Writes eight tiles, in pairs of vectors which an engine may join. Scratch: 48 vectors. */
export function writeTilePairs(
  from: usize,
  step: usize,
  scratch: usize,
  entries: usize,
  channel: usize,
  line: usize,
): void {
  const row = 6 * step;
  let t = scratch;
  for (let column = 0; column < 6; column++) {
    let at = from;
    const m0 = v128.load(at);
    const n0 = v128.load(at, 16);
    at += row;
    const m1 = v128.load(at);
    const n1 = v128.load(at, 16);
    at += row;
    const m2 = v128.load(at);
    const n2 = v128.load(at, 16);
    at += row;
    const m3 = v128.load(at);
    const n3 = v128.load(at, 16);
    at += row;
    const m4 = v128.load(at);
    const n4 = v128.load(at, 16);
    at += row;
    const m5 = v128.load(at);
    const n5 = v128.load(at, 16);
    const p0 = f32x4.add(m1, m2);
    const p1 = f32x4.add(n1, n2);
    const d0 = f32x4.sub(m1, m2);
    const d1 = f32x4.sub(n1, n2);
    const r0 = f32x4.add(m3, m4);
    const r1 = f32x4.add(n3, n4);
    const s0 = f32x4.sub(m3, m4);
    const s1 = f32x4.sub(n3, n4);
    storePair(t, output0(m0, p0, r0), output0(n0, p1, r1));
    storePair(t + 192, output1(d0, s0), output1(d1, s1));
    storePair(t + 384, output2(p0, r0), output2(p1, r1));
    storePair(t + 576, output3(d0, s0, m5), output3(d1, s1, n5));
    t += 32;
    from += step;
  }
  if (areNeighbours(entries)) writeRowPairs(scratch, entries, channel, line);
  else {
    writeRows(scratch, 32, entries, channel, line);
    writeRows(scratch + 16, 32, entries + 4 * TILE_ENTRY, channel, line);
  }
}

/** Whether eight tiles are whole and every second one follows the first in its row. */
function areNeighbours(entries: usize): bool {
  for (let i = 0; i < 4; i++) {
    if (load<i32>(entries, 4) != WHOLE || load<i32>(entries, 36) != WHOLE) return false;
    if (load<i32>(entries, 32) - load<i32>(entries) != 4) return false;
    entries += TILE_ENTRY;
  }
  return true;
}

/** As `writeRows` for eight whole tiles, neighbours in pairs. */
function writeRowPairs(t: usize, entries: usize, channel: usize, line: usize): void {
  let a0 = channel + ((<usize>load<i32>(entries)) << 2);
  let a1 = channel + ((<usize>load<i32>(entries, 8)) << 2);
  let a2 = channel + ((<usize>load<i32>(entries, 16)) << 2);
  let a3 = channel + ((<usize>load<i32>(entries, 24)) << 2);
  for (let i = 0; i < 4; i++) {
    const m0 = v128.load(t);
    const n0 = v128.load(t, 16);
    const m1 = v128.load(t, 32);
    const n1 = v128.load(t, 48);
    const m2 = v128.load(t, 64);
    const n2 = v128.load(t, 80);
    const m3 = v128.load(t, 96);
    const n3 = v128.load(t, 112);
    const m4 = v128.load(t, 128);
    const n4 = v128.load(t, 144);
    const m5 = v128.load(t, 160);
    const n5 = v128.load(t, 176);
    const p0 = f32x4.add(m1, m2);
    const p1 = f32x4.add(n1, n2);
    const d0 = f32x4.sub(m1, m2);
    const d1 = f32x4.sub(n1, n2);
    const r0 = f32x4.add(m3, m4);
    const r1 = f32x4.add(n3, n4);
    const s0 = f32x4.sub(m3, m4);
    const s1 = f32x4.sub(n3, n4);
    const l0 = output0(m0, p0, r0);
    const k0 = output0(n0, p1, r1);
    const l1 = output1(d0, s0);
    const k1 = output1(d1, s1);
    const l2 = output2(p0, r0);
    const k2 = output2(p1, r1);
    const l3 = output3(d0, s0, m5);
    const k3 = output3(d1, s1, n5);
    const t0 = low(l0, l1);
    const u0 = low(k0, k1);
    const t1 = low(l2, l3);
    const u1 = low(k2, k3);
    const t2 = high(l0, l1);
    const u2 = high(k0, k1);
    const t3 = high(l2, l3);
    const u3 = high(k2, k3);
    storePair(a0, firsts(t0, t1), firsts(u0, u1));
    storePair(a1, seconds(t0, t1), seconds(u0, u1));
    storePair(a2, firsts(t2, t3), firsts(u2, u3));
    storePair(a3, seconds(t2, t3), seconds(u2, u3));
    a0 += line;
    a1 += line;
    a2 += line;
    a3 += line;
    t += 192;
  }
}
