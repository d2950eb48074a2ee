import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { mean } from "./mean.ts";
import { mul } from "./mul.ts";
import { type ReduceOptions, reducedAxes, reduceKinds } from "./reduction.ts";
import { square } from "./square.ts";
import { sub } from "./sub.ts";
import { sum } from "./sum.ts";

/** Σ (x − mean)² / (n − correction) over axes; correction 0 is the biased variance, 1 the unbiased one. */
export const variance: Composed<[x: Tensor, options?: ReduceOptions & { readonly correction?: number }]> =
  defineComposed({
    name: "variance",
    parameters: ["x: Tensor", { ...reduceKinds, "correction?": "number" }],
    build: (x, { axes, keepDims, correction = 0 } = {}) => {
      const over = reducedAxes("variance", x.shape, axes);
      const count = sizeOf(over.map((axis) => x.shape[axis]));
      const centred = sub(x, mean(x, { axes: over, keepDims: true }));
      return mul(sum(square(centred), { axes: over, keepDims }), 1 / (count - correction));
    },
  });
