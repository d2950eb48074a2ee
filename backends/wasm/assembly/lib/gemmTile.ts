// The register tile of every matrix product, and the packing that feeds it.

import { madd } from "./simd.ts";
import { WIDE } from "./wide.ts";
import { fewWide, sixWide, WIDE_COLUMNS } from "./wideTile.ts";

/** Columns of a tile: two vectors. */
export const TILE_COLUMNS: i32 = 8;

/**
 * Rows of the next tile when `left` are left: 6 or 4. Twelve sums are what keeps two multiply-add units of four cycles
 * busy and, with two vectors of B and one of A, what fits the 15 vector registers that V8 has; tiles of 4 take the
 * rest.
 */
@inline
export function tileRows(left: i32): i32 {
  return left >= 6 && left != 7 && left != 8 && left != 11 ? 6 : 4;
}

/** Longest run of the inner dimension: a panel of B (16 KB) and four rows of A (8 KB) stay in the first-level cache. */
const MAX_DEPTH: i32 = 512;

/** Writes (or adds to) the first `columns` of 8 elements. */
function storePart(c: usize, v0: v128, v1: v128, columns: i32, accumulate: bool): void {
  let v = v0;
  if (columns >= 4) {
    v128.store(c, accumulate ? f32x4.add(v128.load(c), v) : v);
    c += 16;
    columns -= 4;
    v = v1;
  }
  if (columns > 0) {
    const s = f32x4.extract_lane(v, 0);
    store<f32>(c, accumulate ? load<f32>(c) + s : s);
  }
  if (columns > 1) {
    const s = f32x4.extract_lane(v, 1);
    store<f32>(c, accumulate ? load<f32>(c, 4) + s : s, 4);
  }
  if (columns > 2) {
    const s = f32x4.extract_lane(v, 2);
    store<f32>(c, accumulate ? load<f32>(c, 8) + s : s, 8);
  }
  if (columns > 3) {
    const s = f32x4.extract_lane(v, 3);
    store<f32>(c, accumulate ? load<f32>(c, 12) + s : s, 12);
  }
}

@inline
function addTo(c: usize, value: v128): void {
  v128.store(c, f32x4.add(v128.load(c), value));
}

/**
 * Six rows. Their addresses are added up anew at every step: six pointers and twelve sums do not fit the registers. Columns
 * 4 to 7 of c are at cHigh: the two vectors of a row must not look like a pair to V8 (wideTile.ts), which dies of some of
 * those that are not used as pairs throughout.
 */
function sixRows(
  depth: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cHigh: usize,
  cRow: usize,
  columns: i32,
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
  for (let k = depth; k > 0; k--) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let row = a;
    let x = v128.load32_splat(row);
    c00 = madd(x, b0, c00);
    c01 = madd(x, b1, c01);
    row += aRow;
    x = v128.load32_splat(row);
    c10 = madd(x, b0, c10);
    c11 = madd(x, b1, c11);
    row += aRow;
    x = v128.load32_splat(row);
    c20 = madd(x, b0, c20);
    c21 = madd(x, b1, c21);
    row += aRow;
    x = v128.load32_splat(row);
    c30 = madd(x, b0, c30);
    c31 = madd(x, b1, c31);
    row += aRow;
    x = v128.load32_splat(row);
    c40 = madd(x, b0, c40);
    c41 = madd(x, b1, c41);
    row += aRow;
    x = v128.load32_splat(row);
    c50 = madd(x, b0, c50);
    c51 = madd(x, b1, c51);
    a += aStep;
    b += bStep;
  }
  if (columns == TILE_COLUMNS) {
    if (accumulate) {
      addTo(c, c00);
      addTo(cHigh, c01);
      c += cRow;
      cHigh += cRow;
      addTo(c, c10);
      addTo(cHigh, c11);
      c += cRow;
      cHigh += cRow;
      addTo(c, c20);
      addTo(cHigh, c21);
      c += cRow;
      cHigh += cRow;
      addTo(c, c30);
      addTo(cHigh, c31);
      c += cRow;
      cHigh += cRow;
      addTo(c, c40);
      addTo(cHigh, c41);
      c += cRow;
      cHigh += cRow;
      addTo(c, c50);
      addTo(cHigh, c51);
    } else {
      v128.store(c, c00);
      v128.store(cHigh, c01);
      c += cRow;
      cHigh += cRow;
      v128.store(c, c10);
      v128.store(cHigh, c11);
      c += cRow;
      cHigh += cRow;
      v128.store(c, c20);
      v128.store(cHigh, c21);
      c += cRow;
      cHigh += cRow;
      v128.store(c, c30);
      v128.store(cHigh, c31);
      c += cRow;
      cHigh += cRow;
      v128.store(c, c40);
      v128.store(cHigh, c41);
      c += cRow;
      cHigh += cRow;
      v128.store(c, c50);
      v128.store(cHigh, c51);
    }
    return;
  }
  storePart(c, c00, c01, columns, accumulate);
  c += cRow;
  storePart(c, c10, c11, columns, accumulate);
  c += cRow;
  storePart(c, c20, c21, columns, accumulate);
  c += cRow;
  storePart(c, c30, c31, columns, accumulate);
  c += cRow;
  storePart(c, c40, c41, columns, accumulate);
  c += cRow;
  storePart(c, c50, c51, columns, accumulate);
}

/**
 * At most four rows. Those beyond the edge repeat the last one: cheaper than another loop, and never read outside of a.
 */
function fewRows(
  depth: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cHigh: usize,
  cRow: usize,
  rows: i32,
  columns: i32,
  accumulate: bool,
): void {
  let a1 = rows > 1 ? a + aRow : a;
  let a2 = rows > 2 ? a1 + aRow : a1;
  let a3 = rows > 3 ? a2 + aRow : a2;
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  for (let k = depth; k > 0; k--) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    c00 = madd(x, b0, c00);
    c01 = madd(x, b1, c01);
    x = v128.load32_splat(a1);
    c10 = madd(x, b0, c10);
    c11 = madd(x, b1, c11);
    x = v128.load32_splat(a2);
    c20 = madd(x, b0, c20);
    c21 = madd(x, b1, c21);
    x = v128.load32_splat(a3);
    c30 = madd(x, b0, c30);
    c31 = madd(x, b1, c31);
    a += aStep;
    a1 += aStep;
    a2 += aStep;
    a3 += aStep;
    b += bStep;
  }
  if (rows == 4 && columns == TILE_COLUMNS) {
    if (accumulate) {
      addTo(c, c00);
      addTo(cHigh, c01);
      c += cRow;
      cHigh += cRow;
      addTo(c, c10);
      addTo(cHigh, c11);
      c += cRow;
      cHigh += cRow;
      addTo(c, c20);
      addTo(cHigh, c21);
      c += cRow;
      cHigh += cRow;
      addTo(c, c30);
      addTo(cHigh, c31);
    } else {
      v128.store(c, c00);
      v128.store(cHigh, c01);
      c += cRow;
      cHigh += cRow;
      v128.store(c, c10);
      v128.store(cHigh, c11);
      c += cRow;
      cHigh += cRow;
      v128.store(c, c20);
      v128.store(cHigh, c21);
      c += cRow;
      cHigh += cRow;
      v128.store(c, c30);
      v128.store(cHigh, c31);
    }
    return;
  }
  storePart(c, c00, c01, columns, accumulate);
  if (rows > 1) storePart(c + cRow, c10, c11, columns, accumulate);
  if (rows > 2) storePart(c + 2 * cRow, c20, c21, columns, accumulate);
  if (rows > 3) storePart(c + 3 * cRow, c30, c31, columns, accumulate);
}

/**
 * c[rows × columns] = or += a[rows × depth] · b[depth × 8], at most 6 × 8 and not 5 rows. Element (m, k) of a is at a
 * + m·aRow + k·aStep, row k of b at b + k·bStep, row m of c at c + m·cRow; all in bytes. Reads 8 columns of b even
 * where fewer are wanted.
 */
@inline
export function gemmTile(
  depth: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  rows: i32,
  columns: i32,
  accumulate: bool,
): void {
  if (rows == 6) sixRows(depth, a, aRow, aStep, b, bStep, c, c + 16, cRow, columns, accumulate);
  else fewRows(depth, a, aRow, aStep, b, bStep, c, c + 16, cRow, rows, columns, accumulate);
}

/** Columns of the next tile when `left` are left, all of them there to be read: 16 where wide tiles pay, else 8. */
@inline
export function tileColumns(left: i32): i32 {
  return WIDE && left >= WIDE_COLUMNS ? WIDE_COLUMNS : TILE_COLUMNS;
}

/**
 * gemmTile for `width` columns, as tileColumns says; columns 8 to 15 of b lie `bNext` bytes behind the others.
 */
@inline
export function gemmTiles(
  width: i32,
  depth: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bNext: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  rows: i32,
  columns: i32,
  accumulate: bool,
): void {
  if (width == TILE_COLUMNS) gemmTile(depth, a, aRow, aStep, b, bStep, c, cRow, rows, columns, accumulate);
  else if (rows == 6) sixWide(depth, a, aRow, aStep, b, b + bNext, bStep, c, c + 32, cRow, accumulate);
  else fewWide(depth, a, aRow, aStep, b, b + bNext, bStep, c, c + 32, cRow, rows, accumulate);
}

/**
 * c[m0…m1, n0…n1] of a product: a[… depth] by rows, b packed. All blocks cut the depth alike: same bits for any blocks.
 */
export function gemmBlock(
  a: usize,
  panels: usize,
  c: usize,
  cRow: usize,
  m0: i32,
  m1: i32,
  n0: i32,
  n1: i32,
  depth: i32,
): void {
  const aRow = (<usize>depth) << 2;
  const panelStep = (<usize>depth) << 5;
  const cuts = max((depth + MAX_DEPTH - 1) / MAX_DEPTH, 1);
  const part = (depth + cuts - 1) / cuts;
  let k = 0;
  do {
    const terms = min(part, depth - k);
    for (let n = n0; n < n1; ) {
      const panel = panels + ((<usize>(n * depth + k * TILE_COLUMNS)) << 2);
      const width = tileColumns(n1 - n);
      const columns = min(width, n1 - n);
      for (let m = m0; m < m1; ) {
        const rows = tileRows(m1 - m);
        const from = a + <usize>m * aRow + ((<usize>k) << 2);
        const to = c + <usize>m * cRow + ((<usize>n) << 2);
        const count = min(rows, m1 - m);
        gemmTiles(width, terms, from, aRow, 4, panel, panelStep, 32, to, cRow, count, columns, k > 0);
        m += rows;
      }
      n += width;
    }
    k += part;
  } while (k < depth);
}

/**
 * Packs 8 columns of b[depth × …], whose rows are `step` bytes apart, as panel[depth][8]; zeros where `columns` < 8.
 */
export function packColumns(b: usize, step: usize, depth: i32, columns: i32, panel: usize): void {
  if (columns == TILE_COLUMNS) {
    for (let k = 0; k < depth; k++) {
      v128.store(panel, v128.load(b));
      v128.store(panel, v128.load(b, 16), 16);
      b += step;
      panel += 32;
    }
    return;
  }
  for (let k = 0; k < depth; k++) {
    for (let n = 0; n < TILE_COLUMNS; n++)
      store<f32>(panel + (n << 2), n < columns ? load<f32>(b + (n << 2)) : 0);
    b += step;
    panel += 32;
  }
}

/** Four rows of four become four columns at `to`, `toStep` bytes apart. */
@inline
function transpose4(r0: v128, r1: v128, r2: v128, r3: v128, to: usize, toStep: usize): void {
  const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const t1 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const t2 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(t0, t2, 0, 1, 4, 5));
  to += toStep;
  v128.store(to, v128.shuffle<f32>(t0, t2, 2, 3, 6, 7));
  to += toStep;
  v128.store(to, v128.shuffle<f32>(t1, t3, 0, 1, 4, 5));
  to += toStep;
  v128.store(to, v128.shuffle<f32>(t1, t3, 2, 3, 6, 7));
}

/** Packs 8 rows of `depth` elements, `step` bytes apart, as panel[depth][8]: the columns of a transposed b. */
export function packRows(b: usize, step: usize, depth: i32, rows: i32, panel: usize): void {
  if (rows < TILE_COLUMNS) memory.fill(panel, 0, (<usize>depth) << 5);
  const vectors = depth & ~3;
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    const b0 = b + <usize>row * step;
    const b1 = b0 + step;
    const b2 = b1 + step;
    const b3 = b2 + step;
    let to = panel + (row << 2);
    for (let k: usize = 0; k < (<usize>vectors) << 2; k += 16) {
      transpose4(
        v128.load(b0 + k),
        v128.load(b1 + k),
        v128.load(b2 + k),
        v128.load(b3 + k),
        to,
        32,
      );
      to += 128;
    }
    for (let k: usize = (<usize>vectors) << 2; k < (<usize>depth) << 2; k += 4) {
      store<f32>(to, load<f32>(b0 + k));
      store<f32>(to, load<f32>(b1 + k), 4);
      store<f32>(to, load<f32>(b2 + k), 8);
      store<f32>(to, load<f32>(b3 + k), 12);
      to += 32;
    }
  }
  for (; row < rows; row++) {
    const from = b + <usize>row * step;
    const to = panel + (row << 2);
    for (let k = 0; k < depth; k++)
      store<f32>(to + ((<usize>k) << 5), load<f32>(from + ((<usize>k) << 2)));
  }
}

/** to[n][m] = from[m][n] for a block of rows × columns; rows of either lie `fromStep` and `toStep` bytes apart. */
export function transposeBlock(
  from: usize,
  fromStep: usize,
  to: usize,
  toStep: usize,
  rows: i32,
  columns: i32,
): void {
  let m = 0;
  for (; m + 4 <= rows; m += 4) {
    const r0 = from + <usize>m * fromStep;
    const r1 = r0 + fromStep;
    const r2 = r1 + fromStep;
    const r3 = r2 + fromStep;
    let out = to + ((<usize>m) << 2);
    let n: usize = 0;
    for (const whole = ((<usize>columns) << 2) & ~15; n < whole; n += 16) {
      transpose4(
        v128.load(r0 + n),
        v128.load(r1 + n),
        v128.load(r2 + n),
        v128.load(r3 + n),
        out,
        toStep,
      );
      out += toStep << 2;
    }
    for (; n < (<usize>columns) << 2; n += 4) {
      store<f32>(out, load<f32>(r0 + n));
      store<f32>(out, load<f32>(r1 + n), 4);
      store<f32>(out, load<f32>(r2 + n), 8);
      store<f32>(out, load<f32>(r3 + n), 12);
      out += toStep;
    }
  }
  for (; m < rows; m++) {
    const row = from + <usize>m * fromStep;
    const column = to + ((<usize>m) << 2);
    for (let n = 0; n < columns; n++)
      store<f32>(column + <usize>n * toStep, load<f32>(row + ((<usize>n) << 2)));
  }
}

/** Element at which matrix `index` of a batch starts: two batch axes, the inner one of `inner` matrices. */
@inline
export function matrixAt(
  base: usize,
  index: i32,
  inner: i32,
  outerStride: i32,
  innerStride: i32,
): usize {
  return base + ((<usize>((index / inner) * outerStride + (index % inner) * innerStride)) << 2);
}
