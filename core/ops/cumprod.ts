import type { Tensor } from "../tensor/tensor.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { iota } from "./iota.ts";
import { less } from "./less.ts";
import { mul } from "./mul.ts";
import { reducedAxes } from "./reduction.ts";
import { reshape } from "./reshape.ts";
import { scan } from "./scan.ts";
import { where } from "./where.ts";

/** y[n] = x[0] · … · x[n] along one axis, the last by default. It does not divide, so the gradients of zeros are right. */
export const cumprod: Composed<[x: Tensor, options?: { readonly axis?: number }]> = defineComposed({
  name: "cumprod",
  parameters: ["x: Tensor", { "axis?": "number" }],
  build: (x, { axis = -1 } = {}) => {
    const [at] = reducedAxes("cumprod", x.shape, [axis]);
    const along = x.shape.map((size, i) => (i === at ? size : 1));
    const position = reshape(iota(x.shape[at], "f32"), along);
    return scan(x, at, (y, moved, distance) => mul(y, where(less(position, distance), 1, moved)));
  },
});
