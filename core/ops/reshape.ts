import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { defineComposed } from "./composed.ts";
import { defineOp, type Op, shapeFailure } from "./op.ts";

const reshapeView: Op<[x: Tensor, attrs: { shape: Shape }]> = defineOp({
  name: "reshape",
  kind: "view",
  signature: "x[*] -> y[*]",
  attrs: { shape: [] as Shape },
  shape: ({ x }, { shape }) => {
    if (sizeOf(x) !== sizeOf(shape) || !shape.every(Number.isInteger))
      throw shapeFailure("reshape", { x }, `${sizeOf(x)} elements do not fill [${shape.join(", ")}]`);
    return shape;
  },
  vjp: ({ x }, dy) => ({ x: reshape(dy, x.shape) }),
  reference: (_, x, y) => y.set(x),
});

/** The same elements in the same order under another shape. One size may be -1: it is worked out. */
export const reshape: Op<[x: Tensor, shape: Shape], { shape: Shape }> = defineComposed({
  name: "reshape",
  parameters: ["x: Tensor", "shape: number[]"],
  spec: reshapeView.spec,
  build: (x, shape) => {
    const known = sizeOf(shape.filter((size) => size !== -1));
    const full = shape.map((size) => (size === -1 ? sizeOf(x.shape) / known : size));
    return reshapeView(x, { shape: full });
  },
});
