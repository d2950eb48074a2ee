import type { Tensor } from "../tensor/tensor.ts";
import type { PoolOptions } from "./avgPool2d.ts";
import { defineComposed } from "./composed.ts";
import { pairOf, poolKinds } from "./convolution.ts";
import { div } from "./div.ts";
import { equal } from "./equal.ts";
import { mul } from "./mul.ts";
import { defineOp, type Op, shapeFailure } from "./op.ts";
import { reshape } from "./reshape.ts";
import { constantArray } from "./sources.ts";
import { sum } from "./sum.ts";
import { addRows, takeRows } from "./takeRows.ts";
import { transpose } from "./transpose.ts";

/** Windows along H and W, steps between them, and pixels that they may hang over each border. */
export interface WindowAttrs {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
}

const windowed: Op<[x: Tensor, attrs: WindowAttrs]> = defineOp({
  name: "maxPool2d",
  signature: "x[... H W] -> y[... OH OW]",
  attrs: { kernel: [1, 1], stride: [1, 1], padding: [0, 0] } as WindowAttrs,
  dims: ({ H, W, kernel, stride, padding }) => {
    const sizeAfter = (size: number, i: 0 | 1) => Math.floor((size + 2 * padding[i] - kernel[i]) / stride[i]) + 1;
    const [OH, OW] = [sizeAfter(H, 0), sizeAfter(W, 1)];
    if (!(OH > 0 && OW > 0 && padding.every((p, i) => 2 * p <= kernel[i])))
      throw shapeFailure("maxPool2d", { x: [H, W] }, `windows of [${kernel}] do not fit with padding [${padding}]`);
    return { OH, OW };
  },
  // Ties share the gradient equally, as in `max`. A pixel of every window at a time, as rows of all images.
  vjp: ({ x, y, attrs }, dy) => {
    const [pixels, index] = [rowsOf(x), pixelsOf(attrs, x.shape.slice(-2), y.shape.slice(-2))];
    const taps = attrs.kernel[0] * attrs.kernel[1];
    const perWindow = (z: Tensor) => reshape(rowsOf(z), [1, -1, pixels.shape[1]]);
    const hit = equal(reshape(takeRows(pixels, index), [taps, -1, pixels.shape[1]]), perWindow(y));
    const share = mul(hit, div(perWindow(dy), sum(hit, { axes: [0], keepDims: true })));
    const gradient = addRows(reshape(share, [-1, pixels.shape[1]]), index, { rows: pixels.shape[0] });
    return { x: reshape(transpose(gradient), x.shape) };
  },
  reference: ({ H, W, OH, OW, kernel, stride, padding }, x, y) => {
    y.fill(Number.NEGATIVE_INFINITY);
    for (let p = 0; p < OH; p++)
      for (let q = 0; q < OW; q++)
        for (let r = 0; r < kernel[0]; r++)
          for (let s = 0; s < kernel[1]; s++) {
            const [h, w] = [p * stride[0] - padding[0] + r, q * stride[1] - padding[1] + s];
            const value = h >= 0 && h < H && w >= 0 && w < W ? x[h * W + w] : Number.NEGATIVE_INFINITY;
            // NaN wins and stays, as in PyTorch
            if (value > y[p * OW + q] || Number.isNaN(value)) y[p * OW + q] = value;
          }
  },
});

/** Images [..., H, W] as rows of one pixel each: [H W, images]. */
const rowsOf = (x: Tensor): Tensor => transpose(reshape(x, [-1, x.shape.at(-1)! * x.shape.at(-2)!]));

/**
 * Pixels of windows [kernel H kernel W, OH OW], as rows of an image. One outside is replaced by the nearest inside, which is
 * in the same window, so that the maximum is the same.
 */
function pixelsOf({ kernel, stride, padding }: WindowAttrs, [H, W]: readonly number[], [OH, OW]: readonly number[]) {
  const inside = (at: number, size: number) => Math.min(Math.max(at, 0), size - 1);
  const index: number[] = [];
  for (let r = 0; r < kernel[0]; r++)
    for (let s = 0; s < kernel[1]; s++)
      for (let p = 0; p < OH; p++)
        for (let q = 0; q < OW; q++)
          index.push(inside(p * stride[0] - padding[0] + r, H) * W + inside(q * stride[1] - padding[1] + s, W));
  return constantArray(index, [index.length], "i32");
}

/** Largest element of every window of x [..., H, W]; pixels outside the image never win. */
export const maxPool2d: Op<[x: Tensor, options: PoolOptions], WindowAttrs> = defineComposed({
  name: "maxPool2d",
  parameters: ["x: Tensor", poolKinds],
  spec: windowed.spec,
  build: (x, options) => {
    const kernel = pairOf(options.kernel);
    return windowed(x, { kernel, stride: pairOf(options.stride ?? kernel), padding: pairOf(options.padding ?? 0) });
  },
});
