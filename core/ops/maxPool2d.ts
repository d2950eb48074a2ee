import type { Tensor } from "../tensor/tensor.ts";
import type { PoolOptions } from "./avgPool2d.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { pairOf, poolKinds } from "./convolution.ts";
import { max } from "./max.ts";
import { shapeFailure } from "./op.ts";
import { reshape } from "./reshape.ts";
import { constantArray } from "./sources.ts";
import { takeRows } from "./takeRows.ts";
import { transpose } from "./transpose.ts";

/**
 * Largest element of every window of x [..., H, W]; pixels outside the image never win. Composed of a gather and a max: it
 * serves metrics and perceptual losses, not the U-Nets.
 */
export const maxPool2d: Composed<[x: Tensor, options: PoolOptions]> = defineComposed({
  name: "maxPool2d",
  parameters: ["x: Tensor", poolKinds],
  build: (x, options) => {
    const kernel = pairOf(options.kernel);
    const stride = pairOf(options.stride ?? kernel);
    const padding = pairOf(options.padding ?? 0);
    const [H, W] = x.shape.slice(-2);
    const sizeAfter = (size: number, i: 0 | 1) => Math.floor((size + 2 * padding[i] - kernel[i]) / stride[i]) + 1;
    const [OH, OW] = [sizeAfter(H, 0), sizeAfter(W, 1)];
    if (!(OH > 0 && OW > 0 && padding.every((p, i) => 2 * p <= kernel[i])))
      throw shapeFailure("maxPool2d", { x: x.shape }, `windows of [${kernel}] do not fit with padding [${padding}]`);
    // A pixel outside is replaced by the nearest one inside, which is in the same window, so the maximum is unchanged.
    const inside = (at: number, size: number) => Math.min(Math.max(at, 0), size - 1);
    const index: number[] = [];
    for (let p = 0; p < OH; p++)
      for (let q = 0; q < OW; q++)
        for (let r = 0; r < kernel[0]; r++)
          for (let s = 0; s < kernel[1]; s++)
            index.push(inside(p * stride[0] - padding[0] + r, H) * W + inside(q * stride[1] - padding[1] + s, W));
    const pixels = transpose(reshape(x, [-1, H * W])); // [H·W, rest]: whole rows are gathered
    const windows = takeRows(pixels, constantArray(index, [index.length], "i32"));
    const largest = max(reshape(windows, [OH * OW, kernel[0] * kernel[1], -1]), { axes: [1] });
    return reshape(transpose(largest), [...x.shape.slice(0, -2), OH, OW]);
  },
});
