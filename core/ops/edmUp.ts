import type { Tensor } from "../tensor/tensor.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { resample, type Taps } from "./resample.ts";
import { upsampleNearest } from "./upsampleNearest.ts";

/**
 * Twice the size with a resampling filter, as in EDM's networks: every channel's transposed convolution with
 * 4·outer(f, f)/(Σf)², stride 2, padding ⌊(n−1)/2⌋. Along one axis, input pixel i adds 2·f[r]/Σf at 2i − padding + r.
 */
export const edmUp: Composed<[x: Tensor, filter?: readonly number[]]> = defineComposed({
  name: "edmUp",
  parameters: ["x: Tensor", "filter?: number[]"],
  build: (x, filter = [1, 1]) => {
    if (filter.length === 2 && filter[0] === filter[1]) return upsampleNearest(x, { factor: 2 });
    const total = filter.reduce((sum, f) => sum + f, 0);
    const padding = Math.floor((filter.length - 1) / 2);
    const tapsOf = (size: number): Taps[] => {
      const length = Math.max((size - 1) * 2 - 2 * padding + filter.length, 0);
      return Array.from({ length }, (_, p) =>
        Array.from({ length: size }, (_, i) => [i, p + padding - 2 * i] as const)
          .filter(([, r]) => r >= 0 && r < filter.length)
          .map(([i, r]) => [i, (2 * filter[r]) / total]),
      );
    };
    const [H, W] = x.shape.slice(-2);
    return resample("edmUp", x, tapsOf(H), tapsOf(W));
  },
});
