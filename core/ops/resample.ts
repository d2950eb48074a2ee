import type { Tensor } from "../tensor/tensor.ts";
import { matmul } from "./matmul.ts";
import { shapeFailure } from "./op.ts";
import { reshape } from "./reshape.ts";
import { constantArray } from "./sources.ts";

/** One output pixel of a 1-D filter as [input pixel, weight] pairs; a pixel may occur twice, its weights add up. */
export type Taps = readonly (readonly [at: number, weight: number])[];

/**
 * A separable linear map of an image: y = A_H · x · A_Wᵀ over the last two axes, where row p of A_H holds `rows[p]`, and
 * row q of A_W `columns[q]`. Two products with constant matrices are fast on every device and have exact gradients.
 */
export function resample(op: string, x: Tensor, rows: readonly Taps[], columns: readonly Taps[]): Tensor {
  if (x.shape.length < 2 || rows.length < 1 || columns.length < 1)
    throw shapeFailure(op, { x: x.shape }, `it can't become an image of ${rows.length} by ${columns.length} pixels`);
  const [H, W] = x.shape.slice(-2);
  const along = reshape(matmul(reshape(x, [-1, W]), matrix(columns, W), { transB: true }), [
    ...x.shape.slice(0, -1),
    columns.length,
  ]);
  return matmul(matrix(rows, H), along);
}

function matrix(taps: readonly Taps[], size: number): Tensor {
  const data = new Float64Array(taps.length * size);
  taps.forEach((row, p) => {
    for (const [at, weight] of row) data[p * size + at] += weight;
  });
  return constantArray(data, [taps.length, size]);
}
