import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { mul } from "./mul.ts";
import { type ReduceOptions, reducedAxes } from "./reduction.ts";
import { sum } from "./sum.ts";

/** Mean over axes. */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  const axes = reducedAxes("mean", x.shape, options.axes);
  const count = sizeOf(axes.map((axis) => x.shape[axis]));
  return mul(sum(x, options), 1 / count);
}
