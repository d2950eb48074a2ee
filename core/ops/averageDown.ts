import type { Tensor } from "../tensor/tensor.ts";
import { sumPool } from "./sumPool.ts";

/** Mean of every block of factor × factor pixels. H and W must be multiples of `factor`. */
export const averageDown = (x: Tensor, { factor = 2 }: { readonly factor?: number } = {}): Tensor =>
  sumPool(x, { factor, scale: 1 / factor ** 2 });
