// Gradients of attention without the N × M matrices: probabilities and slopes of a block of queries stay in the cache.

import {
  gemmTiles,
  packColumns,
  packRows,
  TILE_COLUMNS,
  tileColumns,
  tileRows,
} from "./lib/gemmTile.ts";
import { madd, sumLanes } from "./lib/simd.ts";
import { rowExp, rowMax, rowScale } from "./lib/softmaxRow.ts";

/** Σ a·b. */
function rowDot(a: usize, b: usize, count: i32): f32 {
  let sums = f32x4.splat(0);
  let left = count;
  for (; left >= 4; left -= 4) {
    sums = madd(v128.load(a), v128.load(b), sums);
    a += 16;
    b += 16;
  }
  let sum = sumLanes(sums);
  for (; left > 0; left--) {
    sum += load<f32>(a) * load<f32>(b);
    a += 4;
    b += 4;
  }
  return sum;
}

/** p = p·factor, then ds = scale·p·(ds − level). */
function rowSlopes(p: usize, ds: usize, count: i32, factor: f32, level: f32, scale: f32): void {
  const factors = f32x4.splat(factor);
  const levels = f32x4.splat(level);
  const scales = f32x4.splat(scale);
  let left = count;
  for (; left >= 8; left -= 8) {
    const w0 = f32x4.mul(v128.load(p), factors);
    const w1 = f32x4.mul(v128.load(p, 16), factors);
    v128.store(p, w0);
    v128.store(p, w1, 16);
    const d0 = f32x4.sub(v128.load(ds), levels);
    const d1 = f32x4.sub(v128.load(ds, 16), levels);
    v128.store(ds, f32x4.mul(f32x4.mul(w0, scales), d0));
    v128.store(ds, f32x4.mul(f32x4.mul(w1, scales), d1), 16);
    p += 32;
    ds += 32;
  }
  for (; left > 0; left--) {
    const weight = load<f32>(p) * factor;
    store<f32>(p, weight);
    store<f32>(ds, weight * scale * (load<f32>(ds) - level));
    p += 4;
    ds += 4;
  }
}

/** All columns of a matrix, or those of `depth` rows of it, as panels that lie `panelStep` bytes apart. */
function packAllColumns(from: usize, columns: i32, depth: i32, to: usize, panelStep: usize): void {
  for (let c = 0; c < columns; c += TILE_COLUMNS) {
    const count = min(TILE_COLUMNS, columns - c);
    packColumns(from + ((<usize>c) << 2), (<usize>columns) << 2, depth, count, to);
    to += panelStep;
  }
}

/** All rows of a matrix, eight a panel. */
function packAllRows(from: usize, rows: i32, depth: i32, to: usize): void {
  for (let m = 0; m < rows; m += TILE_COLUMNS) {
    const at = from + ((<usize>(m * depth)) << 2);
    packRows(at, (<usize>depth) << 2, depth, min(TILE_COLUMNS, rows - m), to);
    to += (<usize>depth) << 5;
  }
}

/**
 * c[rows × columns] = or += a[rows × depth] · panels. Element (m, k) of a is at a + m·aRow + k·aStep; panels of 8 columns
 * lie `panelStep` bytes apart; rows of c are `cRow` bytes apart, and are written in whole panels where `isPadded`.
 */
function multiply(
  depth: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  panels: usize,
  panelStep: usize,
  c: usize,
  cRow: usize,
  rows: i32,
  columns: i32,
  isPadded: bool,
  accumulate: bool,
): void {
  const padded = isPadded ? (columns + TILE_COLUMNS - 1) & -TILE_COLUMNS : columns;
  for (let n = 0; n < padded; ) {
    const width = tileColumns(padded - n);
    const written = min(width, padded - n);
    for (let m = 0; m < rows; ) {
      const step = tileRows(rows - m);
      const from = a + <usize>m * aRow;
      const to = c + <usize>m * cRow + ((<usize>n) << 2);
      const count = min(step, rows - m);
      gemmTiles(width, depth, from, aRow, aStep, panels, panelStep, 32, to, cRow, count, written, accumulate);
      m += step;
    }
    panels += <usize>(width / TILE_COLUMNS) * panelStep;
    n += width;
  }
}

/**
 * q [N D], k [M D], v [M E], o and dy [N E] → dq [N D], dk [M D], dv [M E] for a batch. An item is `perItem` queries of one
 * matrix, the last of its `parts` fewer; item i adds up a dk and a dv of its own at place i. `block` queries are computed
 * at a time.
 * Own space: k and v packed by rows, k by columns, scores and slopes of a block, its q and dy packed, sums of a row.
 */
export function attentionGrad(
  start: i32,
  end: i32,
  q: usize,
  k: usize,
  v: usize,
  o: usize,
  dy: usize,
  dq: usize,
  dk: usize,
  dv: usize,
  own: usize,
  N: i32,
  M: i32,
  D: i32,
  E: i32,
  scale: f32,
  parts: i32,
  perItem: i32,
  block: i32,
): void {
  const mPanels = (M + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const dPanels = (D + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const ePanels = (E + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const dRow = (<usize>D) << 2;
  const eRow = (<usize>E) << 2;
  const mRow = (<usize>mPanels) << 5;
  const vRows = own + (<usize>mPanels * dRow << 3);
  const kColumns = vRows + (<usize>mPanels * eRow << 3);
  const scores = kColumns + ((<usize>(dPanels * M)) << 5);
  const slopes = scores + <usize>block * mRow;
  const qColumns = slopes + <usize>block * mRow;
  const yColumns = qColumns + ((<usize>(dPanels * block)) << 5);
  const blockStep = (<usize>block) << 5;
  const sums = yColumns + <usize>ePanels * blockStep;
  // The largest score is the smallest product where the scale is negative.
  const sign: f32 = scale < 0 ? -1 : 1;
  let packed = -1;
  for (let item = start; item < end; item++) {
    const matrix = item / parts;
    if (matrix != packed) {
      const keys = k + <usize>(matrix * M) * dRow;
      packAllRows(keys, M, D, own);
      packAllRows(v + <usize>(matrix * M) * eRow, M, E, vRows);
      packAllColumns(keys, D, M, kColumns, (<usize>M) << 5);
      packed = matrix;
    }
    const toK = dk + <usize>(item * M) * dRow;
    const toV = dv + <usize>(item * M) * eRow;
    const first = (item % parts) * perItem;
    const last = min(first + perItem, N);
    for (let n = first; n < last; n += block) {
      const rows = min(block, last - n);
      const row = <usize>(matrix * N + n);
      const fromQ = q + row * dRow;
      const fromY = dy + row * eRow;
      const fromO = o + row * eRow;
      multiply(D, fromQ, dRow, 4, own, dRow << 3, scores, mRow, rows, M, true, false);
      multiply(E, fromY, eRow, 4, vRows, eRow << 3, slopes, mRow, rows, M, true, false);
      for (let i = 0; i < rows; i++) {
        const at = scores + <usize>i * mRow;
        if (sign < 0) rowScale(at, M, -1);
        const total = rowExp(at, at, M, rowMax(at, M), scale * sign, sums);
        const level = rowDot(fromO + <usize>i * eRow, fromY + <usize>i * eRow, E);
        rowSlopes(at, slopes + <usize>i * mRow, M, 1 / total, level, scale);
      }
      const toQ = dq + row * dRow;
      const isLater = n > first;
      multiply(M, slopes, mRow, 4, kColumns, (<usize>M) << 5, toQ, dRow, rows, D, false, false);
      packAllColumns(fromQ, D, rows, qColumns, blockStep);
      multiply(rows, slopes, 4, mRow, qColumns, blockStep, toK, dRow, M, D, false, isLater);
      packAllColumns(fromY, E, rows, yColumns, blockStep);
      multiply(rows, scores, 4, mRow, yColumns, blockStep, toV, eRow, M, E, false, isLater);
    }
  }
}
