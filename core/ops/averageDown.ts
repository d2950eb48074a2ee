import type { Tensor } from "../tensor/tensor.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { sumPool } from "./sumPool.ts";

/** Mean of every block of factor × factor pixels. H and W must be multiples of `factor`. */
export const averageDown: Composed<[x: Tensor, options?: { readonly factor?: number }]> = defineComposed({
  name: "averageDown",
  parameters: ["x: Tensor", { "factor?": "number" }],
  build: (x, { factor = 2 } = {}) => sumPool(x, { factor, scale: 1 / factor ** 2 }),
});
