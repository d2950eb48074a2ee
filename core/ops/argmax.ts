import type { Tensor } from "../tensor/tensor.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { equal } from "./equal.ts";
import { iota } from "./iota.ts";
import { max } from "./max.ts";
import { min } from "./min.ts";
import { reducedAxes } from "./reduction.ts";
import { reshape } from "./reshape.ts";
import { stopGradient } from "./stopGradient.ts";
import { toInt } from "./toInt.ts";
import { where } from "./where.ts";

/** Index (i32) of the largest element along one axis, the last by default; the first of equals. */
export const argmax: Composed<[x: Tensor, options?: { readonly axis?: number; readonly keepDims?: boolean }]> =
  defineComposed({
    name: "argmax",
    parameters: ["x: Tensor", { "axis?": "number", "keepDims?": "boolean" }],
    build: (x, { axis = -1, keepDims } = {}) => {
      const [at] = reducedAxes("argmax", x.shape, [axis]);
      const size = x.shape[at];
      const shape = x.shape.map((_, i) => (i === at ? size : 1));
      const value = stopGradient(x);
      const hit = equal(value, max(value, { axes: [at], keepDims: true }));
      // Indices as floats: exact below 2²⁴, and there is a maximum of floats only.
      const index = where(hit, reshape(iota(size, "f32"), shape), size);
      return toInt(min(index, { axes: [at], keepDims }));
    },
  });
