// Tiles of 4 × 4 outputs, numbered by image, row and column, and the rows of the patches of 6 × 6 inputs under them.

import { inputTransform, inputTransformPair } from "./winogradTransform.ts";

/** Bytes of an entry of a list of runs, all i32: image, row of tiles, column of tiles, tiles. */
export const RUN: usize = 16;

/** Bytes in front of a row that the transform of a short row may overwrite, or read. */
export const ROW_MARGIN: usize = 16;

/** Lists the runs of neighbours within a row among `count` tiles from `first` on; returns their number. */
export function listRuns(list: usize, first: i32, count: i32, tileRows: i32, tileColumns: i32): i32 {
  let runs = 0;
  const last = first + count;
  for (let tile = first; tile < last; runs++) {
    const row = tile / tileColumns;
    const column = tile - row * tileColumns;
    const tiles = min(tileColumns - column, last - tile);
    const image = row / tileRows;
    store<i32>(list, image);
    store<i32>(list, row - image * tileRows, 4);
    store<i32>(list, column, 8);
    store<i32>(list, tiles, 12);
    list += RUN;
    tile += tiles;
  }
  return runs;
}

/** The row `y` of a plane from a column on, or zeros outside of the plane. */
@inline
function rowAt(plane: usize, y: i32, H: i32, line: usize, zeros: usize): usize {
  return y >= 0 && y < H ? plane + <usize>y * line : zeros;
}

/**
 * The transform of columns: six rows of a plane, from row `top` on, become six rows at `to`, `pitch` bytes apart.
 * `plane` points to the first of `columns` columns. The last vector of a row ends with the row, so that nothing beyond
 * is read: it computes again, or writes before `to`, what lies before it. So a row of the plane, and `zeros` with the
 * margin in front of it, has at least 4 columns up to there.
 */
export function transformRows(
  plane: usize,
  top: i32,
  H: i32,
  W: i32,
  columns: i32,
  zeros: usize,
  to: usize,
  pitch: usize,
): void {
  const line = (<usize>W) << 2;
  let p0 = rowAt(plane, top, H, line, zeros);
  let p1 = rowAt(plane, top + 1, H, line, zeros);
  let p2 = rowAt(plane, top + 2, H, line, zeros);
  let p3 = rowAt(plane, top + 3, H, line, zeros);
  let p4 = rowAt(plane, top + 4, H, line, zeros);
  let p5 = rowAt(plane, top + 5, H, line, zeros);
  for (; columns >= 8; columns -= 8) {
    inputTransformPair(
      v128.load(p0),
      v128.load(p1),
      v128.load(p2),
      v128.load(p3),
      v128.load(p4),
      v128.load(p5),
      v128.load(p0, 16),
      v128.load(p1, 16),
      v128.load(p2, 16),
      v128.load(p3, 16),
      v128.load(p4, 16),
      v128.load(p5, 16),
      to,
      pitch,
    );
    p0 += 32;
    p1 += 32;
    p2 += 32;
    p3 += 32;
    p4 += 32;
    p5 += 32;
    to += 32;
  }
  while (columns > 0) {
    const back = (<usize>max(4 - columns, 0)) << 2;
    p0 -= back;
    p1 -= back;
    p2 -= back;
    p3 -= back;
    p4 -= back;
    p5 -= back;
    to -= back;
    inputTransform(
      v128.load(p0),
      v128.load(p1),
      v128.load(p2),
      v128.load(p3),
      v128.load(p4),
      v128.load(p5),
      to,
      pitch,
    );
    p0 += 16;
    p1 += 16;
    p2 += 16;
    p3 += 16;
    p4 += 16;
    p5 += 16;
    to += 16;
    columns -= 4;
  }
}
