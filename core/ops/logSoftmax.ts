import type { Tensor } from "../tensor/tensor.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { logsumexp } from "./logsumexp.ts";
import { max } from "./max.ts";
import { stopGradient } from "./stopGradient.ts";
import { sub } from "./sub.ts";

/** y = x − ln Σ eˣ over one axis, the last by default. */
export const logSoftmax: Composed<[x: Tensor, options?: { readonly axis?: number }]> = defineComposed({
  name: "logSoftmax",
  parameters: ["x: Tensor", { "axis?": "number" }],
  build: (x, { axis = -1 } = {}) => {
    // Shifted first: for large logits x − logsumexp(x) would lose the digits that x − max keeps.
    const shifted = sub(x, stopGradient(max(x, { axes: [axis], keepDims: true })));
    return sub(shifted, logsumexp(shifted, { axes: [axis], keepDims: true }));
  },
});
