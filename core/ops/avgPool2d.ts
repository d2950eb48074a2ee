import type { Tensor } from "../tensor/tensor.ts";
import { averageDown } from "./averageDown.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { type Pair, pairOf, poolKinds } from "./convolution.ts";
import { resample, type Taps } from "./resample.ts";

/** How windows lie on the image. */
export interface PoolOptions {
  /** Size of the window. */
  readonly kernel: Pair;
  /** Steps of the window; its size when absent. */
  readonly stride?: Pair;
  /** Pixels added on every side; at most half the window. */
  readonly padding?: Pair;
}

/**
 * Mean of every window of x [..., H, W]. Where the window hangs over the border, pixels outside count as zeros
 * (`countPadding`), or not at all.
 */
export const avgPool2d: Composed<[x: Tensor, options: PoolOptions & { readonly countPadding?: boolean }]> =
  defineComposed({
    name: "avgPool2d",
    parameters: ["x: Tensor", { ...poolKinds, "countPadding?": "boolean" }],
    build: (x, { countPadding = true, ...options }) => {
      const kernel = pairOf(options.kernel);
      const stride = pairOf(options.stride ?? kernel);
      const padding = pairOf(options.padding ?? 0);
      const [H, W] = x.shape.slice(-2);
      const square = [kernel[1], ...stride].every((size) => size === kernel[0]);
      if (square && padding.join() === "0,0" && H % kernel[0] === 0 && W % kernel[0] === 0)
        return averageDown(x, { factor: kernel[0] });
      const tapsOf = (size: number, axis: 0 | 1): Taps[] => {
        const [k, s, p] = [kernel[axis], stride[axis], padding[axis]];
        return Array.from({ length: Math.max(Math.floor((size + 2 * p - k) / s) + 1, 0) }, (_, out) => {
          const inside = Array.from({ length: k }, (_, r) => out * s - p + r).filter((at) => at >= 0 && at < size);
          return inside.map((at) => [at, 1 / (countPadding ? k : inside.length)]);
        });
      };
      return resample("avgPool2d", x, tapsOf(H, 0), tapsOf(W, 1));
    },
  });
