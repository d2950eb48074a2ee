import type { Tensor } from "../tensor/tensor.ts";
import { defineOp, type Op } from "./op.ts";

/** y[m] = table[index[m]]: an embedding. Indices outside 0…V-1 are clamped. */
export const takeRows: Op<[table: Tensor, index: Tensor]> = defineOp({
  name: "takeRows",
  signature: "table[V D], i32 index[M] -> y[M D]",
  dtype: "f32",
  vjp: ({ table, index }, dy) => ({ table: addRows(dy, index, { rows: table.shape[0] }) }),
  reference: ({ V, D, M }, table, index, y) => {
    for (let m = 0; m < M; m++) {
      const row = Math.min(Math.max(index[m], 0), V - 1);
      y.set(table.subarray(row * D, (row + 1) * D), m * D);
    }
  },
});

/** y[v] = Σ over m with index[m] = v of x[m]: rows scattered into a table of `rows` rows and added up. */
export const addRows: Op<[x: Tensor, index: Tensor, attrs: { rows: number }]> = defineOp({
  name: "addRows",
  signature: "x[M D], i32 index[M] -> y[V D]",
  attrs: { rows: 0 },
  dims: ({ rows }) => ({ V: rows }),
  vjp: ({ index }, dy) => ({ x: takeRows(dy, index) }),
  reference: ({ V, D, M }, x, index, y) => {
    for (let m = 0; m < M; m++) {
      const row = Math.min(Math.max(index[m], 0), V - 1);
      for (let d = 0; d < D; d++) y[row * D + d] += x[m * D + d];
    }
  },
});
