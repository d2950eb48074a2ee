import type { Tensor } from "../tensor/tensor.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { max } from "./max.ts";
import { neg } from "./neg.ts";
import { type ReduceOptions, reduceKinds } from "./reduction.ts";

/** Smallest element over axes: min x = −max(−x). */
export const min: Composed<[x: Tensor, options?: ReduceOptions]> = defineComposed({
  name: "min",
  parameters: ["x: Tensor", reduceKinds],
  build: (x, options = {}) => neg(max(neg(x), options)),
});
