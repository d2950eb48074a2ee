import { axisAt, formatShape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { defineOp, type Op, shapeFailure } from "./op.ts";
import { pad } from "./pad.ts";
import { reshape } from "./reshape.ts";

interface SliceAttrs {
  readonly axis: number;
  /** First index taken; negative counts from the end. */
  readonly start: number;
  /** One past the last index taken; negative counts from the end, the axis' size when absent. */
  readonly end?: number;
}

interface SliceOptions extends SliceAttrs {
  /** Distance between elements taken, from 1 up; 1 when absent. */
  readonly step?: number;
}

const sliceAxis: Op<[x: Tensor, attrs: Required<SliceAttrs>]> = defineOp({
  name: "slice",
  signature: "x[*] -> y[*]",
  attrs: { axis: 0, start: 0, end: 0 } as Required<SliceAttrs>,
  shape: ({ x }, { axis, start, end }) => x.map((size, i) => (i === axis ? end - start : size)),
  vjp: ({ x, attrs: { axis, start, end } }, dy) => ({
    x: pad(dy, { axis, before: start, after: x.shape[axis] - end }),
  }),
  reference: ({ inputShapes: [from], axis, start, end }, x, y) => {
    const rows = sizeOf(from.slice(0, axis));
    const unit = sizeOf(from.slice(axis + 1));
    const [width, taken] = [from[axis] * unit, (end - start) * unit];
    for (let row = 0; row < rows; row++)
      y.set(x.subarray(row * width + start * unit, row * width + start * unit + taken), row * taken);
  },
});

/**
 * Elements start…end-1 along one axis, every `step`-th of them.
 * @throws ShapeError when the range is empty or outside the axis.
 */
export const slice: Op<[x: Tensor, options: SliceOptions], Required<SliceAttrs>> = defineComposed({
  name: "slice",
  parameters: ["x: Tensor", { axis: "number", start: "number", "end?": "number", "step?": "number" }],
  spec: sliceAxis.spec,
  build: (x, { step = 1, ...range }) => {
    const run = sliceRun(x, range);
    if (step === 1) return run;
    // Rows of `step` elements, of which the first is kept.
    const at = axisAt(range.axis, x.shape.length)!;
    const count = Math.ceil(run.shape[at] / step);
    const whole = pad(run, { axis: at, before: 0, after: count * step - run.shape[at] });
    const [before, after] = [x.shape.slice(0, at), x.shape.slice(at + 1)];
    const rows = reshape(whole, [...before, count, step, ...after]);
    return reshape(sliceRun(rows, { axis: at + 1, start: 0, end: 1 }), [...before, count, ...after]);
  },
});

function sliceRun(x: Tensor, { axis, start, end }: SliceAttrs): Tensor {
  const at = axisAt(axis, x.shape.length);
  const size = at === undefined ? 0 : x.shape[at];
  const from = start < 0 ? start + size : start;
  const to = end === undefined ? size : end < 0 ? end + size : end;
  if (at === undefined || from < 0 || to > size || to <= from)
    throw shapeFailure("slice", { x: x.shape }, `axis ${axis} has no elements ${start} to ${end ?? "its end"}`);
  return from === 0 && to === size ? x : sliceAxis(x, { axis: at, start: from, end: to });
}

/** `count` equal parts along an axis: chunk(qkv, 3, 1). */
export const split: Composed<[x: Tensor, count: number, axis: number], Tensor[]> = defineComposed({
  name: "split",
  parameters: ["x: Tensor", "count: number", "axis: number"],
  build: (x, count, axis) => {
    const at = axisAt(axis, x.shape.length) ?? 0;
    const width = x.shape[at] / count;
    if (!Number.isInteger(width))
      throw shapeFailure("split", { x: x.shape }, `${formatShape([x.shape[at]])} does not divide by ${count}`);
    return Array.from({ length: count }, (_, i) => slice(x, { axis: at, start: i * width, end: (i + 1) * width }));
  },
});
