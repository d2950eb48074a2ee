// Softmax over rows.

import { rowExp, rowMax, rowScale } from "./lib/softmaxRow.ts";

/** y = e^(x − max) / Σ e^(x − max). An item is a row of N. Own space: SUMS_BYTES. */
export function softmaxRows(start: i32, end: i32, x: usize, y: usize, own: usize, N: i32): void {
  for (let row = start; row < end; row++) {
    const at = (<usize>(row * N)) << 2;
    const total = rowExp(x + at, y + at, N, rowMax(x + at, N), 1, own);
    rowScale(y + at, N, 1 / total);
  }
}
