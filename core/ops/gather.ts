import type { Tensor } from "../tensor/tensor.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { flatIndex } from "./flatIndex.ts";
import { reshape } from "./reshape.ts";
import { takeRows } from "./takeRows.ts";

/** y[i, j, k] = x[i, index[i, j, k], k] for axis 1 of three, and so on; the result has the shape of `index` (i32). */
export const gather: Composed<[x: Tensor, index: Tensor, options: { readonly axis: number }]> = defineComposed({
  name: "gather",
  parameters: ["x: Tensor", "index: Tensor", { axis: "number" }],
  build: (x, index, { axis }) =>
    reshape(takeRows(reshape(x, [-1, 1]), flatIndex("gather", x, index, axis)), index.shape),
});
