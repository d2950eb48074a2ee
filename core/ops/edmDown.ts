import type { Tensor } from "../tensor/tensor.ts";
import { averageDown } from "./averageDown.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { resample, type Taps } from "./resample.ts";

/**
 * Half the size with a resampling filter, as in EDM's networks: every channel's convolution with outer(f, f)/(Σf)²,
 * stride 2, padding ⌊(n−1)/2⌋ or as given. Along one axis, y[p] = Σ_r f[r]/Σf · x[2p − padding + r].
 */
export const edmDown: Composed<[x: Tensor, filter?: readonly number[], padding?: number]> = defineComposed({
  name: "edmDown",
  parameters: ["x: Tensor", "filter?: number[]", "padding?: number"],
  build: (x, filter = [1, 1], padding = Math.floor((filter.length - 1) / 2)) => {
    const [H, W] = x.shape.slice(-2);
    const even = H % 2 === 0 && W % 2 === 0;
    if (even && padding === 0 && filter.length === 2 && filter[0] === filter[1]) return averageDown(x, { factor: 2 });
    const total = filter.reduce((sum, f) => sum + f, 0);
    const tapsOf = (size: number): Taps[] => {
      const length = Math.max(Math.floor((size + 2 * padding - filter.length) / 2) + 1, 0);
      return Array.from({ length }, (_, p) =>
        filter.map((f, r) => [2 * p - padding + r, f / total] as const).filter(([at]) => at >= 0 && at < size),
      );
    };
    return resample("edmDown", x, tapsOf(H), tapsOf(W));
  },
});
