import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { defineOp, type Op, shapeFailure } from "./op.ts";

/**
 * A tensor that lives inside a flat one: `shape` elements from `offset` on. How parameters sit in their arena.
 * Not differentiable on purpose: ask for the gradient of the view, and put gradients together with `pack`.
 */
export const view: Op<[flat: Tensor, attrs: { offset: number; shape: Shape }]> = defineOp({
  name: "view",
  kind: "view",
  signature: "flat[P] -> y[*]",
  attrs: { offset: 0, shape: [] as Shape },
  shape: ({ flat }, { offset, shape }) => {
    if (offset < 0 || offset + sizeOf(shape) > flat[0])
      throw shapeFailure("view", { flat }, `${sizeOf(shape)} elements from ${offset} on do not fit`);
    return shape;
  },
  vjp: "first order only",
  jvp: ({ attrs }, { flat }) => flat && view(flat, attrs),
  reference: (context, flat, y) => y.set(flat.subarray(context.offset, context.offset + y.length)),
});
