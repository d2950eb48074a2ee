import type { Tensor } from "../tensor/tensor.ts";

/** What an image is asked to show. */
export interface Condition {
  /** Class indices, i32 [B]; absent for unconditional data. */
  readonly label?: Tensor;
}
