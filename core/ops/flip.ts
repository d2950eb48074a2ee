import type { Tensor } from "../tensor/tensor.ts";
import { indexSelect } from "./indexSelect.ts";
import { reducedAxes } from "./reduction.ts";
import { constantArray } from "./sources.ts";

/** x with the order of elements reversed along axes; all of them when none is named. */
export function flip(x: Tensor, { axes }: { readonly axes?: readonly number[] } = {}): Tensor {
  return reducedAxes("flip", x.shape, axes).reduce((y, axis) => {
    const size = x.shape[axis];
    const backwards = Array.from({ length: size }, (_, i) => size - 1 - i);
    return indexSelect(y, constantArray(backwards, [size], "i32"), { axis });
  }, x);
}
