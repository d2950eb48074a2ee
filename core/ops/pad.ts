import { axisAt, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { defineComposed } from "./composed.ts";
import { defineOp, type Op, shapeFailure } from "./op.ts";
import { slice } from "./slice.ts";

interface PadAttrs {
  readonly axis: number;
  /** Elements added in front. */
  readonly before: number;
  /** Elements added behind. */
  readonly after: number;
  /** What is added; 0 when absent. */
  readonly value?: number;
}

const padAxis: Op<[x: Tensor, attrs: PadAttrs]> = defineOp({
  name: "pad",
  signature: "x[*] -> y[*]",
  attrs: { axis: 0, before: 0, after: 0, value: 0 } as Required<PadAttrs>,
  shape: ({ x }, { axis, before, after }) => x.map((size, i) => (i === axis ? before + size + after : size)),
  vjp: ({ x, attrs: { axis, before } }, dy) => ({
    x: slice(dy, { axis, start: before, end: before + x.shape[axis] }),
  }),
  reference: ({ inputShapes: [from], axis, before, after, value }, x, y) => {
    y.fill(value);
    const rows = sizeOf(from.slice(0, axis));
    const unit = sizeOf(from.slice(axis + 1));
    const width = from[axis] * unit;
    for (let row = 0; row < rows; row++)
      y.set(x.subarray(row * width, (row + 1) * width), row * (width + (before + after) * unit) + before * unit);
  },
});

/** The same number around x along one axis. */
export const pad: Op<[x: Tensor, attrs: PadAttrs], Required<PadAttrs>> = defineComposed({
  name: "pad",
  parameters: ["x: Tensor", { axis: "number", before: "number", after: "number", "value?": "number" }],
  spec: padAxis.spec,
  build: (x, { axis, before, after, value = 0 }) => {
    const at = axisAt(axis, x.shape.length);
    if (at === undefined || before < 0 || after < 0)
      throw shapeFailure("pad", { x: x.shape }, `cannot add ${before} and ${after} elements on axis ${axis}`);
    return before || after ? padAxis(x, { axis: at, before, after, value }) : x;
  },
});
