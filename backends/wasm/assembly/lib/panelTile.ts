// The register tile of products whose left operand is packed in panels: rows of a panel are neighbours in memory, so one
// pointer with constant offsets reaches them all.

import { tileRows } from "./gemmTile.ts";
import { four16, six16 } from "./panelTileWide.ts";
import { madd } from "./simd.ts";
import { WIDE } from "./wide.ts";

/** Adds to a pair of vectors. The engine's registers run out where the sums of both ways meet again before they are stored. */
@inline
function addPair(c: usize, v0: v128, v1: v128): void {
  v128.store(c, f32x4.add(v128.load(c), v0));
  v128.store(c, f32x4.add(v128.load(c, 16), v1), 16);
}

/** 6 × 8: 12 sums, with two vectors of b and one of a the 15 registers that V8 has. */
function six8(
  depth: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cStep: usize,
  accumulate: bool,
): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  let c40 = c00;
  let c41 = c00;
  let c50 = c00;
  let c51 = c00;
  for (; depth > 0; depth--) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    c00 = madd(x, b0, c00);
    c01 = madd(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = madd(x, b0, c10);
    c11 = madd(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = madd(x, b0, c20);
    c21 = madd(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = madd(x, b0, c30);
    c31 = madd(x, b1, c31);
    x = v128.load32_splat(a, 16);
    c40 = madd(x, b0, c40);
    c41 = madd(x, b1, c41);
    x = v128.load32_splat(a, 20);
    c50 = madd(x, b0, c50);
    c51 = madd(x, b1, c51);
    a += aStep;
    b += bStep;
  }
  if (accumulate) {
    addPair(c, c00, c01);
    c += cStep;
    addPair(c, c10, c11);
    c += cStep;
    addPair(c, c20, c21);
    c += cStep;
    addPair(c, c30, c31);
    c += cStep;
    addPair(c, c40, c41);
    c += cStep;
    addPair(c, c50, c51);
    return;
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  c += cStep;
  v128.store(c, c10);
  v128.store(c, c11, 16);
  c += cStep;
  v128.store(c, c20);
  v128.store(c, c21, 16);
  c += cStep;
  v128.store(c, c30);
  v128.store(c, c31, 16);
  c += cStep;
  v128.store(c, c40);
  v128.store(c, c41, 16);
  c += cStep;
  v128.store(c, c50);
  v128.store(c, c51, 16);
}

/** 4 × 8. */
function four8(
  depth: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cStep: usize,
  accumulate: bool,
): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  for (; depth > 0; depth--) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    c00 = madd(x, b0, c00);
    c01 = madd(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = madd(x, b0, c10);
    c11 = madd(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = madd(x, b0, c20);
    c21 = madd(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = madd(x, b0, c30);
    c31 = madd(x, b1, c31);
    a += aStep;
    b += bStep;
  }
  if (accumulate) {
    addPair(c, c00, c01);
    c += cStep;
    addPair(c, c10, c11);
    c += cStep;
    addPair(c, c20, c21);
    c += cStep;
    addPair(c, c30, c31);
    return;
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  c += cStep;
  v128.store(c, c10);
  v128.store(c, c11, 16);
  c += cStep;
  v128.store(c, c20);
  v128.store(c, c21, 16);
  c += cStep;
  v128.store(c, c30);
  v128.store(c, c31, 16);
}

/**
 * c[rows × columns] = or += Σ_k a[k][rows] · b[k][columns] for a panel of 6 or 4 rows. Row k of a is at a + k·aStep, of b at
 * b + k·bStep, row m of c at c + m·cStep, all in bytes. `columns` is a multiple of 8. Every element is a sum over k in order,
 * added to what was there: the same bits in tiles of any width.
 */
export function panelTile(
  rows: i32,
  columns: i32,
  depth: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cStep: usize,
  accumulate: bool,
): void {
  if (WIDE)
    for (; columns >= 16; columns -= 16) {
      if (rows == 6) six16(depth, a, aStep, b, bStep, c, cStep, accumulate);
      else four16(depth, a, aStep, b, bStep, c, cStep, accumulate);
      b += 64;
      c += 64;
    }
  for (; columns > 0; columns -= 8) {
    if (rows == 6) six8(depth, a, aStep, b, bStep, c, cStep, accumulate);
    else four8(depth, a, aStep, b, bStep, c, cStep, accumulate);
    b += 32;
    c += 32;
  }
}

/** Rows that the panels of `rows` hold: those of the last one may be fewer than it has room for. */
export function paddedRows(rows: i32): i32 {
  let padded = 0;
  while (padded < rows) padded += tileRows(rows - padded);
  return padded;
}
