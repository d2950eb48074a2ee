import type { Tensor } from "../tensor/tensor.ts";
import { defineComposed } from "./composed.ts";
import { mul } from "./mul.ts";
import { onLastAxis } from "./onLastAxis.ts";
import { defineOp, type Op } from "./op.ts";
import { sub } from "./sub.ts";
import { sum } from "./sum.ts";

const softmaxRows: Op<[x: Tensor]> = defineOp({
  name: "softmax",
  signature: "x[... N] -> y[... N]",
  // dx = y · (dy − Σ dy · y)
  vjp: ({ y }, dy) => ({
    x: mul(y, sub(dy, sum(mul(dy, y), { axes: [-1], keepDims: true }))),
  }),
  reference: ({ N }, x, y) => {
    let top = -Infinity;
    for (let n = 0; n < N; n++) top = Math.max(top, x[n]);
    let total = 0;
    for (let n = 0; n < N; n++) total += y[n] = Math.exp(x[n] - top);
    for (let n = 0; n < N; n++) y[n] /= total;
  },
});

/** y = e^(x − max) / Σ e^(x − max) over one axis, the last by default. */
export const softmax: Op<[x: Tensor, options?: { readonly axis?: number }], object> = defineComposed({
  name: "softmax",
  parameters: ["x: Tensor", { "axis?": "number" }],
  spec: softmaxRows.spec,
  build: (x, { axis = -1 } = {}) => onLastAxis("softmax", x, axis, softmaxRows),
});
