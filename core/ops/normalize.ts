import type { Tensor } from "../tensor/tensor.ts";
import { defineOp, type Op } from "./op.ts";

interface NormalizeAttrs {
  /** Added to the variance. */
  readonly eps: number;
}

/**
 * Each row to mean 0 and variance 1: y = (x − mean) / √(var + eps), with the biased variance over the last axis.
 * The heart of group and layer normalisation; scale and shift are ordinary elementwise ops after it.
 */
export const normalize: Op<[x: Tensor, attrs?: NormalizeAttrs]> = defineOp({
  name: "normalize",
  signature: "x[... N] -> y[... N]",
  attrs: { eps: 1e-5 } as NormalizeAttrs,
  vjp: ({ x, attrs }, dy) => ({ x: normalizeGrad(x, dy, attrs) }),
  // The matrix of derivatives is symmetric.
  jvp: ({ x, attrs }, { x: dx }) => dx && normalizeGrad(x, dx, attrs),
  reference: ({ N, eps }, x, y) => {
    const { mean, scale } = moments(x, N, eps);
    for (let n = 0; n < N; n++) y[n] = (x[n] - mean) * scale;
  },
});

/**
 * Gradient of `normalize`: dx = (dy − mean(dy) − y · mean(dy · y)) / √(var + eps), row by row.
 */
export const normalizeGrad: Op<[x: Tensor, dy: Tensor, attrs?: NormalizeAttrs]> = defineOp({
  name: "normalizeGrad",
  signature: "x[... N], dy[... N] -> dx[... N]",
  attrs: { eps: 1e-5 } as NormalizeAttrs,
  vjp: "first order only",
  reference: ({ N, eps }, x, dy, dx) => {
    const { mean, scale } = moments(x, N, eps);
    let meanDy = 0;
    let meanDyY = 0;
    for (let n = 0; n < N; n++) {
      meanDy += dy[n] / N;
      meanDyY += (dy[n] * (x[n] - mean) * scale) / N;
    }
    for (let n = 0; n < N; n++) dx[n] = scale * (dy[n] - meanDy - (x[n] - mean) * scale * meanDyY);
  },
});

function moments(x: ArrayLike<number>, N: number, eps: number): { mean: number; scale: number } {
  let mean = 0;
  for (let n = 0; n < N; n++) mean += x[n] / N;
  let variance = 0;
  for (let n = 0; n < N; n++) variance += (x[n] - mean) ** 2 / N;
  return { mean, scale: 1 / Math.sqrt(variance + eps) };
}
