import { sameShape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./add.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { flatIndex } from "./flatIndex.ts";
import { shapeFailure } from "./op.ts";
import { reshape } from "./reshape.ts";
import { addRows } from "./takeRows.ts";

/** y = x, plus source[i, j, k] at y[i, index[i, j, k], k] for axis 1 of three, and so on; equal indices add up. */
export const scatterAdd: Composed<[x: Tensor, index: Tensor, source: Tensor, options: { readonly axis: number }]> =
  defineComposed({
    name: "scatterAdd",
    parameters: ["x: Tensor", "index: Tensor", "source: Tensor", { axis: "number" }],
    build: (x, index, source, { axis }) => {
      if (!sameShape(index.shape, source.shape))
        throw shapeFailure("scatterAdd", { index: index.shape, source: source.shape }, "they must have one shape");
      const rows = sizeOf(x.shape);
      const at = flatIndex("scatterAdd", x, index, axis);
      return add(x, reshape(addRows(reshape(source, [-1, 1]), at, { rows }), x.shape));
    },
  });
