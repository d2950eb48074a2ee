// y = softmax(scale · q·kᵀ)·v without the N × M matrix: the scores of six queries at a time stay in the cache.

import {
  gemmTiles,
  matrixAt,
  packColumns,
  packRows,
  TILE_COLUMNS,
  tileColumns,
  tileRows,
} from "./lib/gemmTile.ts";
import { rowExp, rowMax, rowScale, SUMS_BYTES } from "./lib/softmaxRow.ts";

/**
 * q [N D], k [M D], v [M E] → y [N E] for a batch. An item is a block of `nBlock` queries of one matrix.
 * Own space: k packed, v packed, 6 rows of scores, sums of one, and of each.
 */
export function attention(
  start: i32,
  end: i32,
  q: usize,
  k: usize,
  v: usize,
  y: usize,
  own: usize,
  N: i32,
  M: i32,
  D: i32,
  E: i32,
  scale: f32,
  nBlock: i32,
  inner: i32,
  qOuter: i32,
  qInner: i32,
  kOuter: i32,
  kInner: i32,
  vOuter: i32,
  vInner: i32,
): void {
  const blocks = (N + nBlock - 1) / nBlock;
  const mPanels = (M + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const ePanels = (E + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const vPanels = own + ((<usize>(mPanels * D)) << 5);
  const scores = vPanels + ((<usize>(ePanels * M)) << 5);
  const scoreRow = (<usize>mPanels) << 5;
  const sums = scores + 6 * scoreRow;
  const totals = sums + SUMS_BYTES;
  // The largest score is the smallest product where the scale is negative.
  const sign: f32 = scale < 0 ? -1 : 1;
  let packedK = usize.MAX_VALUE;
  let packedV = usize.MAX_VALUE;
  for (let item = start; item < end; item++) {
    const matrix = item / blocks;
    const queries = matrixAt(q, matrix, inner, qOuter, qInner);
    const keys = matrixAt(k, matrix, inner, kOuter, kInner);
    const values = matrixAt(v, matrix, inner, vOuter, vInner);
    const to = y + ((<usize>(matrix * N * E)) << 2);
    if (keys != packedK) {
      for (let p = 0; p < mPanels; p++)
        packRows(
          keys + ((<usize>(p * TILE_COLUMNS * D)) << 2),
          (<usize>D) << 2,
          D,
          min(TILE_COLUMNS, M - p * TILE_COLUMNS),
          own + ((<usize>(p * D)) << 5),
        );
      packedK = keys;
    }
    if (values != packedV) {
      for (let p = 0; p < ePanels; p++)
        packColumns(
          values + ((<usize>p) << 5),
          (<usize>E) << 2,
          M,
          min(TILE_COLUMNS, E - p * TILE_COLUMNS),
          vPanels + ((<usize>(p * M)) << 5),
        );
      packedV = values;
    }
    const last = min((item % blocks) * nBlock + nBlock, N);
    for (let n = (item % blocks) * nBlock; n < last; ) {
      const step = tileRows(last - n);
      const rows = min(step, last - n);
      for (let p = 0, width = 0; p < mPanels; p += width / TILE_COLUMNS) {
        width = tileColumns((mPanels - p) * TILE_COLUMNS);
        gemmTiles(
          width,
          D,
          queries + ((<usize>(n * D)) << 2),
          (<usize>D) << 2,
          4,
          own + ((<usize>(p * D)) << 5),
          (<usize>D) << 5,
          32,
          scores + ((<usize>p) << 5),
          scoreRow,
          rows,
          TILE_COLUMNS,
          false,
        );
      }
      for (let row = 0; row < rows; row++) {
        const at = scores + <usize>row * scoreRow;
        if (sign < 0) rowScale(at, M, -1);
        const total = rowExp(at, at, M, rowMax(at, M), scale * sign, sums);
        store<f32>(totals + (row << 2), total);
      }
      for (let e = 0, width = 0; e < E; e += width) {
        width = tileColumns(E - e);
        gemmTiles(
          width,
          M,
          scores,
          scoreRow,
          4,
          vPanels + ((<usize>(e * M)) << 2),
          (<usize>M) << 5,
          32,
          to + ((<usize>(n * E + e)) << 2),
          (<usize>E) << 2,
          rows,
          min(width, E - e),
          false,
        );
      }
      // Dividing the few elements of y costs less than dividing the scores.
      for (let row = 0; row < rows; row++)
        rowScale(to + ((<usize>((n + row) * E)) << 2), E, 1 / load<f32>(totals + (row << 2)));
      n += step;
    }
  }
}
