import type { Tensor } from "../tensor/tensor.ts";
import { reshape } from "./reshape.ts";
import { takeRows } from "./takeRows.ts";

/** weight [V, D], ids i32 [...] → [..., D]: row `id` of the table for each id. */
export const embedding = (weight: Tensor, ids: Tensor): Tensor =>
  reshape(takeRows(weight, reshape(ids, [-1])), [...ids.shape, ...weight.shape.slice(1)]);
