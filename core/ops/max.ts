import type { Tensor } from "../tensor/tensor.ts";
import { defineComposed } from "./composed.ts";
import { div } from "./div.ts";
import { equal } from "./equal.ts";
import { mul } from "./mul.ts";
import { defineOp, type Op } from "./op.ts";
import { droppedShape, forEachReduced, keptShape, type ReduceOptions, reducedAxes, reduceKinds } from "./reduction.ts";
import { reshape } from "./reshape.ts";
import { sum } from "./sum.ts";

const maxKept: Op<[x: Tensor, attrs: { axes: readonly number[] }]> = defineOp({
  name: "max",
  signature: "x[*] -> y[*]",
  attrs: { axes: [] as readonly number[] },
  shape: ({ x }, { axes }) => keptShape(x, axes),
  // Ties share the gradient equally, as PyTorch's amax does.
  vjp: ({ x, y, attrs }, dy) => {
    const hit = equal(x, y);
    return { x: mul(hit, div(dy, sum(hit, { axes: attrs.axes, keepDims: true }))) };
  },
  reference: ({ inputShapes: [from], outputShape }, x, y) => {
    const seen = new Uint8Array(y.length);
    forEachReduced(from, outputShape, (i, j) => {
      // NaN wins and stays, as in PyTorch
      if (!seen[j] || x[i] > y[j] || Number.isNaN(x[i])) y[j] = x[i];
      seen[j] = 1;
    });
  },
});

/** Largest element over axes. */
export const max: Op<[x: Tensor, options?: ReduceOptions], { axes: readonly number[] }> = defineComposed({
  name: "max",
  parameters: ["x: Tensor", reduceKinds],
  spec: maxKept.spec,
  build: (x, options = {}) => {
    const axes = reducedAxes("max", x.shape, options.axes);
    const kept = axes.length ? maxKept(x, { axes }) : x;
    return options.keepDims ? kept : reshape(kept, droppedShape(x.shape, axes));
  },
});
