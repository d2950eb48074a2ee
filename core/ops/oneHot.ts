import type { Tensor } from "../tensor/tensor.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { equal } from "./equal.ts";
import { iota } from "./iota.ts";
import { reshape } from "./reshape.ts";

/** labels i32 [...] → f32 [..., classes]: 1 at the label, 0 elsewhere; all 0 for a label outside 0…classes-1. */
export const oneHot: Composed<[labels: Tensor, classes: number]> = defineComposed({
  name: "oneHot",
  parameters: ["labels: Tensor", "classes: number"],
  build: (labels, classes) => equal(reshape(labels, [...labels.shape, 1]), iota(classes, labels.dtype)),
});
