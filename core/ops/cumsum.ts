import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./add.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { reducedAxes } from "./reduction.ts";
import { scan } from "./scan.ts";

/** y[n] = x[0] + … + x[n] along one axis, the last by default. */
export const cumsum: Composed<[x: Tensor, options?: { readonly axis?: number }]> = defineComposed({
  name: "cumsum",
  parameters: ["x: Tensor", { "axis?": "number" }],
  build: (x, { axis = -1 } = {}) => {
    const [at] = reducedAxes("cumsum", x.shape, [axis]);
    return scan(x, at, (y, moved) => add(y, moved));
  },
});
