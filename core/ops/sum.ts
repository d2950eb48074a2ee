import type { Tensor } from "../tensor/tensor.ts";
import { broadcastTo } from "./broadcastTo.ts";
import { defineComposed } from "./composed.ts";
import { defineOp, type Op } from "./op.ts";
import { droppedShape, forEachReduced, keptShape, type ReduceOptions, reducedAxes, reduceKinds } from "./reduction.ts";
import { reshape } from "./reshape.ts";

const sumKept: Op<[x: Tensor, attrs: { axes: readonly number[] }]> = defineOp({
  name: "sum",
  signature: "x[*] -> y[*]",
  attrs: { axes: [] as readonly number[] },
  shape: ({ x }, { axes }) => keptShape(x, axes),
  vjp: ({ x }, dy) => ({ x: broadcastTo(dy, { shape: x.shape }) }),
  reference: ({ inputShapes: [from], outputShape }, x, y) =>
    forEachReduced(from, outputShape, (i, j) => {
      y[j] += x[i];
    }),
});

/** Sum over axes. */
export const sum: Op<[x: Tensor, options?: ReduceOptions], { axes: readonly number[] }> = defineComposed({
  name: "sum",
  parameters: ["x: Tensor", reduceKinds],
  spec: sumKept.spec,
  build: (x, options = {}) => {
    const axes = reducedAxes("sum", x.shape, options.axes);
    const kept = axes.length ? sumKept(x, { axes }) : x;
    return options.keepDims ? kept : reshape(kept, droppedShape(x.shape, axes));
  },
});
