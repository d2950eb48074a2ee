import { axisAt, type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { defineComposed } from "./composed.ts";
import { defineOp, type Op, shapeFailure } from "./op.ts";
import { slice } from "./slice.ts";

const concatPair: Op<[a: Tensor, b: Tensor, attrs: { axis: number }]> = defineOp({
  name: "concat",
  signature: "a[*], b[*] -> y[*]",
  attrs: { axis: 0 },
  shape: ({ a, b }, { axis }) => {
    const fits = a.length === b.length && a.every((size, i) => i === axis || size === b[i]);
    if (!fits) throw shapeFailure("concat", { a, b }, `they differ outside axis ${axis}`);
    return a.map((size, i) => (i === axis ? size + b[i] : size));
  },
  vjp: ({ a, b, attrs: { axis } }, dy) => ({
    a: slice(dy, { axis, start: 0, end: a.shape[axis] }),
    b: slice(dy, { axis, start: a.shape[axis], end: a.shape[axis] + b.shape[axis] }),
  }),
  reference: ({ inputShapes, axis }, a, b, y) => {
    const rows = sizeOf(inputShapes[0].slice(0, axis));
    const [na, nb] = [a.length / rows, b.length / rows];
    for (let row = 0; row < rows; row++) {
      y.set(a.subarray(row * na, (row + 1) * na), row * (na + nb));
      y.set(b.subarray(row * nb, (row + 1) * nb), row * (na + nb) + na);
    }
  },
});

/**
 * Tensors one after another along `axis`.
 * @throws ShapeError when the list is empty, or the shapes differ outside `axis`.
 */
export const concat: Op<[parts: readonly Tensor[], axis: number], { axis: number }> = defineComposed({
  name: "concat",
  parameters: ["parts: Tensor[]", "axis: number"],
  spec: concatPair.spec,
  build: (parts, axis) => {
    const shapes: Record<string, Shape> = Object.fromEntries(parts.map((part, i) => [`part ${i}`, part.shape]));
    const at = parts.length ? axisAt(axis, parts[0].shape.length) : undefined;
    if (at === undefined) throw shapeFailure("concat", shapes, `there is no axis ${axis}`);
    return parts.reduce((a, b) => concatPair(a, b, { axis: at }));
  },
});
