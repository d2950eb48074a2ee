import type { Tensor } from "../tensor/tensor.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { indexSelect } from "./indexSelect.ts";
import { reducedAxes } from "./reduction.ts";
import { constantArray } from "./sources.ts";

/** x with the order of elements reversed along axes; all of them when none is named. */
export const flip: Composed<[x: Tensor, options?: { readonly axes?: readonly number[] }]> = defineComposed({
  name: "flip",
  parameters: ["x: Tensor", { "axes?": "number[]" }],
  build: (x, { axes } = {}) => {
    return reducedAxes("flip", x.shape, axes).reduce((y, axis) => {
      const size = x.shape[axis];
      const backwards = Array.from({ length: size }, (_, i) => size - 1 - i);
      return indexSelect(y, constantArray(backwards, [size], "i32"), { axis });
    }, x);
  },
});
