import type { Tensor } from "../tensor/tensor.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { reshape } from "./reshape.ts";
import { takeRows } from "./takeRows.ts";

/** weight [V, D], ids i32 [...] → [..., D]: row `id` of the table for each id. */
export const embedding: Composed<[weight: Tensor, ids: Tensor]> = defineComposed({
  name: "embedding",
  parameters: ["weight: Tensor", "ids: Tensor"],
  build: (weight, ids) => reshape(takeRows(weight, reshape(ids, [-1])), [...ids.shape, ...weight.shape.slice(1)]),
});
