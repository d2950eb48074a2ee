import { stridesOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { defineComposed } from "./composed.ts";
import { defineOp, type Op, shapeFailure } from "./op.ts";

const permute: Op<[x: Tensor, attrs: { permutation: readonly number[] }]> = defineOp({
  name: "transpose",
  signature: "x[*] -> y[*]",
  attrs: { permutation: [] as readonly number[] },
  shape: ({ x }, { permutation }) => {
    if ([...permutation].sort((a, b) => a - b).join() !== [...x.keys()].join())
      throw shapeFailure("transpose", { x }, `[${permutation.join(", ")}] is not an order of its axes`);
    return permutation.map((axis) => x[axis]);
  },
  vjp: ({ attrs: { permutation } }, dy) => {
    const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
    return { x: permute(dy, { permutation: inverse }) };
  },
  reference: ({ inputShapes: [from], outputShape, permutation }, x, y) => {
    const strides = stridesOf(from);
    const at = outputShape.map(() => 0);
    for (let j = 0; j < y.length; j++) {
      y[j] = x[at.reduce((sum, index, axis) => sum + index * strides[permutation[axis]], 0)];
      for (let axis = at.length - 1; axis >= 0 && ++at[axis] === outputShape[axis]; axis--) at[axis] = 0;
    }
  },
});

/** Axes in another order: axis i of the result is axis `permutation[i]` of x; by default the last two swap. */
export const transpose: Op<[x: Tensor, permutation?: readonly number[]], { permutation: readonly number[] }> =
  defineComposed({
    name: "transpose",
    parameters: ["x: Tensor", "permutation?: number[]"],
    spec: permute.spec,
    build: (x, permutation) => {
      const axes = [...x.shape.keys()];
      const swapped = [...axes.slice(0, -2), ...axes.slice(-2).reverse()];
      return permute(x, { permutation: permutation ?? swapped });
    },
  });
