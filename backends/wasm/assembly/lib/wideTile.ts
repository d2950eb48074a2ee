// Register tiles of twice the width, for engines that join neighbouring vectors into registers of 256 bits.
//
// V8 joins a pair of vectors when it ends in two stores, 16 bytes apart, and all that it was computed from are such pairs
// too: vectors loaded 16 bytes apart, and factors that both share. So a tile of 16 columns is two pairs, which may lie
// anywhere: twelve sums of 256 bits, as many as the tile of 8 columns has of 128.

import { madd } from "./simd.ts";

/** Columns of a wide tile: two pairs of vectors. */
export const WIDE_COLUMNS: i32 = 16;

// In another order where it adds: the compiler of these files would move equal ends of both branches behind them, and two
// stores that are parted are no pair.
@inline
function storePair(to: usize, low: v128, high: v128, accumulate: bool): void {
  if (accumulate) {
    const sum0 = f32x4.add(v128.load(to), low);
    const sum1 = f32x4.add(v128.load(to, 16), high);
    v128.store(to, sum1, 16);
    v128.store(to, sum0);
  } else {
    v128.store(to, low);
    v128.store(to, high, 16);
  }
}

/**
 * Six rows by two pairs of vectors, at b0 and b1: in row k of a matrix whose rows are `along` bytes apart, or, `isTapped`,
 * at the offsets that a list at `along` has for every k; then the rows of a are neighbours.
 */
@inline
function sixRows(
  isTapped: bool,
  depth: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b0: usize,
  b1: usize,
  along: usize,
  to0: usize,
  to1: usize,
  toRow: usize,
  accumulate: bool,
): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c02 = c00;
  let c03 = c00;
  let c10 = c00;
  let c11 = c00;
  let c12 = c00;
  let c13 = c00;
  let c20 = c00;
  let c21 = c00;
  let c22 = c00;
  let c23 = c00;
  let c30 = c00;
  let c31 = c00;
  let c32 = c00;
  let c33 = c00;
  let c40 = c00;
  let c41 = c00;
  let c42 = c00;
  let c43 = c00;
  let c50 = c00;
  let c51 = c00;
  let c52 = c00;
  let c53 = c00;
  for (let k = depth; k > 0; k--) {
    const tap: usize = isTapped ? load<u32>(along) : 0;
    const u0 = v128.load(b0 + tap);
    const u1 = v128.load(b0 + tap, 16);
    const v0 = v128.load(b1 + tap);
    const v1 = v128.load(b1 + tap, 16);
    let row = a;
    let x = isTapped ? v128.load32_splat(a) : v128.load32_splat(row);
    c00 = madd(x, u0, c00);
    c01 = madd(x, u1, c01);
    c02 = madd(x, v0, c02);
    c03 = madd(x, v1, c03);
    row += aRow;
    x = isTapped ? v128.load32_splat(a, 4) : v128.load32_splat(row);
    c10 = madd(x, u0, c10);
    c11 = madd(x, u1, c11);
    c12 = madd(x, v0, c12);
    c13 = madd(x, v1, c13);
    row += aRow;
    x = isTapped ? v128.load32_splat(a, 8) : v128.load32_splat(row);
    c20 = madd(x, u0, c20);
    c21 = madd(x, u1, c21);
    c22 = madd(x, v0, c22);
    c23 = madd(x, v1, c23);
    row += aRow;
    x = isTapped ? v128.load32_splat(a, 12) : v128.load32_splat(row);
    c30 = madd(x, u0, c30);
    c31 = madd(x, u1, c31);
    c32 = madd(x, v0, c32);
    c33 = madd(x, v1, c33);
    row += aRow;
    x = isTapped ? v128.load32_splat(a, 16) : v128.load32_splat(row);
    c40 = madd(x, u0, c40);
    c41 = madd(x, u1, c41);
    c42 = madd(x, v0, c42);
    c43 = madd(x, v1, c43);
    row += aRow;
    x = isTapped ? v128.load32_splat(a, 20) : v128.load32_splat(row);
    c50 = madd(x, u0, c50);
    c51 = madd(x, u1, c51);
    c52 = madd(x, v0, c52);
    c53 = madd(x, v1, c53);
    a += aStep;
    if (isTapped) along += 4;
    else {
      b0 += along;
      b1 += along;
    }
  }
  storePair(to0, c00, c01, accumulate);
  storePair(to1, c02, c03, accumulate);
  to0 += toRow;
  to1 += toRow;
  storePair(to0, c10, c11, accumulate);
  storePair(to1, c12, c13, accumulate);
  to0 += toRow;
  to1 += toRow;
  storePair(to0, c20, c21, accumulate);
  storePair(to1, c22, c23, accumulate);
  to0 += toRow;
  to1 += toRow;
  storePair(to0, c30, c31, accumulate);
  storePair(to1, c32, c33, accumulate);
  to0 += toRow;
  to1 += toRow;
  storePair(to0, c40, c41, accumulate);
  storePair(to1, c42, c43, accumulate);
  to0 += toRow;
  to1 += toRow;
  storePair(to0, c50, c51, accumulate);
  storePair(to1, c52, c53, accumulate);
}

/** The same for at most four rows. Those beyond the edge repeat the last one (`isTapped`, they are there to be read). */
@inline
function fewRows(
  isTapped: bool,
  depth: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b0: usize,
  b1: usize,
  along: usize,
  to0: usize,
  to1: usize,
  toRow: usize,
  rows: i32,
  accumulate: bool,
): void {
  const a1 = rows > 1 ? aRow : 0;
  const a2 = rows > 2 ? a1 + aRow : a1;
  const a3 = rows > 3 ? a2 + aRow : a2;
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c02 = c00;
  let c03 = c00;
  let c10 = c00;
  let c11 = c00;
  let c12 = c00;
  let c13 = c00;
  let c20 = c00;
  let c21 = c00;
  let c22 = c00;
  let c23 = c00;
  let c30 = c00;
  let c31 = c00;
  let c32 = c00;
  let c33 = c00;
  for (let k = depth; k > 0; k--) {
    const tap: usize = isTapped ? load<u32>(along) : 0;
    const u0 = v128.load(b0 + tap);
    const u1 = v128.load(b0 + tap, 16);
    const v0 = v128.load(b1 + tap);
    const v1 = v128.load(b1 + tap, 16);
    let x = isTapped ? v128.load32_splat(a) : v128.load32_splat(a);
    c00 = madd(x, u0, c00);
    c01 = madd(x, u1, c01);
    c02 = madd(x, v0, c02);
    c03 = madd(x, v1, c03);
    x = isTapped ? v128.load32_splat(a, 4) : v128.load32_splat(a + a1);
    c10 = madd(x, u0, c10);
    c11 = madd(x, u1, c11);
    c12 = madd(x, v0, c12);
    c13 = madd(x, v1, c13);
    x = isTapped ? v128.load32_splat(a, 8) : v128.load32_splat(a + a2);
    c20 = madd(x, u0, c20);
    c21 = madd(x, u1, c21);
    c22 = madd(x, v0, c22);
    c23 = madd(x, v1, c23);
    x = isTapped ? v128.load32_splat(a, 12) : v128.load32_splat(a + a3);
    c30 = madd(x, u0, c30);
    c31 = madd(x, u1, c31);
    c32 = madd(x, v0, c32);
    c33 = madd(x, v1, c33);
    a += aStep;
    if (isTapped) along += 4;
    else {
      b0 += along;
      b1 += along;
    }
  }
  storePair(to0, c00, c01, accumulate);
  storePair(to1, c02, c03, accumulate);
  if (rows <= 1) return;
  to0 += toRow;
  to1 += toRow;
  storePair(to0, c10, c11, accumulate);
  storePair(to1, c12, c13, accumulate);
  if (rows <= 2) return;
  to0 += toRow;
  to1 += toRow;
  storePair(to0, c20, c21, accumulate);
  storePair(to1, c22, c23, accumulate);
  if (rows <= 3) return;
  to0 += toRow;
  to1 += toRow;
  storePair(to0, c30, c31, accumulate);
  storePair(to1, c32, c33, accumulate);
}

/** c[6 × 16] = or += a[6 × depth] · b[depth × 16]; a and b as gemmTile has them, columns 8 to 15 of b at b1, of c at to1. */
export function sixWide(
  depth: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b0: usize,
  b1: usize,
  bStep: usize,
  to0: usize,
  to1: usize,
  toRow: usize,
  accumulate: bool,
): void {
  sixRows(false, depth, a, aRow, aStep, b0, b1, bStep, to0, to1, toRow, accumulate);
}

/** The same for at most four rows. */
export function fewWide(
  depth: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b0: usize,
  b1: usize,
  bStep: usize,
  to0: usize,
  to1: usize,
  toRow: usize,
  rows: i32,
  accumulate: bool,
): void {
  fewRows(false, depth, a, aRow, aStep, b0, b1, bStep, to0, to1, toRow, rows, accumulate);
}

/** Σ_k panel[k][m] · planes[b + taps[k]] for six channels m and 16 pixels, eight at b0 and eight at b1. */
export function sixTapped(
  depth: i32,
  panel: usize,
  taps: usize,
  b0: usize,
  b1: usize,
  to0: usize,
  to1: usize,
  toRow: usize,
  accumulate: bool,
): void {
  sixRows(true, depth, panel, 4, 24, b0, b1, taps, to0, to1, toRow, accumulate);
}

/** The same for a panel of four channels, of which the last may hold fewer. */
export function fourTapped(
  depth: i32,
  panel: usize,
  taps: usize,
  b0: usize,
  b1: usize,
  to0: usize,
  to1: usize,
  toRow: usize,
  rows: i32,
  accumulate: bool,
): void {
  fewRows(true, depth, panel, 4, 16, b0, b1, taps, to0, to1, toRow, rows, accumulate);
}
