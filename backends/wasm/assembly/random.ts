// Philox 4x32-10 as in core/random/philox.ts. An item is 16 elements: four blocks, one in each lane.
import { logOfUnit, sineOfTurns } from "./lib/normal.ts";

const MULTIPLIER_0: u32 = 0xd2511f53;
const MULTIPLIER_1: u32 = 0xcd9e8d57;
const WEYL_0: u32 = 0x9e3779b9;
const WEYL_1: u32 = 0xbb67ae85;

/** High words of four products of 32-bit integers. */
@inline
function highProduct(a: v128, b: v128): v128 {
  const low = i64x2.extmul_low_i32x4_u(a, b);
  const high = i64x2.extmul_high_i32x4_u(a, b);
  return v128.shuffle<i32>(low, high, 1, 3, 5, 7);
}

/** A float in [0, 1) from the top 24 bits. */
@inline
function uniform(bits: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_u(i32x4.shr_u(bits, 8)), f32x4.splat(5.9604644775390625e-8));
}

/**
 * Fills y with `count` numbers; key is i32[3]: seed low, seed high, step. They are those of a larger draw from row `rows[0]`
 * on, a row being `width` elements: y begins `shift` elements into a block.
 */
function fill(start: i32, end: i32, key: usize, rows: usize, y: usize, count: i32, width: i32, stream: i32, own: usize, normal: bool): void {
  const first = load<i32>(rows) * width;
  const firstBlock = first >> 2;
  const shift = first & 3;
  const seed0 = load<u32>(key);
  const seed1 = load<u32>(key, 4);
  const step = i32x4.splat(load<i32>(key, 8));
  for (let item = start; item < end; item++) {
    let c0 = i32x4.add(i32x4.splat(firstBlock + item * 4), i32x4(0, 1, 2, 3));
    let c1 = step;
    let c2 = i32x4.splat(stream);
    let c3 = i32x4.splat(0);
    let k0 = seed0;
    let k1 = seed1;
    for (let round: i32 = 0; round < 10; round++) {
      const m0 = i32x4.splat(MULTIPLIER_0);
      const m1 = i32x4.splat(MULTIPLIER_1);
      const high0 = highProduct(c0, m0);
      const low0 = i32x4.mul(c0, m0);
      const high1 = highProduct(c2, m1);
      const low1 = i32x4.mul(c2, m1);
      c0 = v128.xor(v128.xor(high1, c1), i32x4.splat(k0));
      c1 = low1;
      c2 = v128.xor(v128.xor(high0, c3), i32x4.splat(k1));
      c3 = low0;
      k0 += WEYL_0;
      k1 += WEYL_1;
    }
    let v0 = uniform(c0);
    let v1 = uniform(c1);
    let v2 = uniform(c2);
    let v3 = uniform(c3);
    if (normal) {
      const one = f32x4.splat(1);
      const minusTwo = f32x4.splat(-2);
      const r0 = f32x4.sqrt(f32x4.mul(minusTwo, logOfUnit(f32x4.sub(one, v0))));
      const r1 = f32x4.sqrt(f32x4.mul(minusTwo, logOfUnit(f32x4.sub(one, v2))));
      v0 = f32x4.mul(r0, sineOfTurns(v1, 1));
      v1 = f32x4.mul(r0, sineOfTurns(v1, 0));
      v2 = f32x4.mul(r1, sineOfTurns(v3, 1));
      v3 = f32x4.mul(r1, sineOfTurns(v3, 0));
    }
    // Lanes are blocks; memory has the four numbers of a block side by side.
    const a0 = v128.shuffle<i32>(v0, v1, 0, 4, 1, 5);
    const a1 = v128.shuffle<i32>(v0, v1, 2, 6, 3, 7);
    const b0 = v128.shuffle<i32>(v2, v3, 0, 4, 1, 5);
    const b1 = v128.shuffle<i32>(v2, v3, 2, 6, 3, 7);
    // Where the 16 numbers belong in y, which may begin or end among them.
    const begin = item * 16 - shift;
    const at = begin >= 0 && count - begin >= 16 ? y + ((<usize>begin) << 2) : own;
    v128.store(at, v128.shuffle<i64>(a0, b0, 0, 2));
    v128.store(at, v128.shuffle<i64>(a0, b0, 1, 3), 16);
    v128.store(at, v128.shuffle<i64>(a1, b1, 0, 2), 32);
    v128.store(at, v128.shuffle<i64>(a1, b1, 1, 3), 48);
    if (at != own) continue;
    const from = max(0, -begin);
    const size = min(16, count - begin) - from;
    if (size > 0) memory.copy(y + ((<usize>(begin + from)) << 2), own + ((<usize>from) << 2), (<usize>size) << 2);
  }
}

/** Uniform numbers in [0, 1). */
export function randomUniform(start: i32, end: i32, key: usize, rows: usize, y: usize, count: i32, width: i32, stream: i32, own: usize): void {
  fill(start, end, key, rows, y, count, width, stream, own, false);
}

/** N(0, 1) numbers by Box–Muller. */
export function randomNormal(start: i32, end: i32, key: usize, rows: usize, y: usize, count: i32, width: i32, stream: i32, own: usize): void {
  fill(start, end, key, rows, y, count, width, stream, own, true);
}
