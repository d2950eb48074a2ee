import type { Tensor } from "../tensor/tensor.ts";
import { max } from "./max.ts";
import { neg } from "./neg.ts";
import type { ReduceOptions } from "./reduction.ts";

/** Smallest element over axes: min x = −max(−x). */
export const min = (x: Tensor, options: ReduceOptions = {}): Tensor => neg(max(neg(x), options));
