import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { mul } from "./mul.ts";
import { type ReduceOptions, reducedAxes, reduceKinds } from "./reduction.ts";
import { sum } from "./sum.ts";

/** Mean over axes. */
export const mean: Composed<[x: Tensor, options?: ReduceOptions]> = defineComposed({
  name: "mean",
  parameters: ["x: Tensor", reduceKinds],
  build: (x, options = {}) => {
    const axes = reducedAxes("mean", x.shape, options.axes);
    const count = sizeOf(axes.map((axis) => x.shape[axis]));
    return mul(sum(x, options), 1 / count);
  },
});
