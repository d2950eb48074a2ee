import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./add.ts";
import { reducedAxes } from "./reduction.ts";
import { scan } from "./scan.ts";

/** y[n] = x[0] + … + x[n] along one axis, the last by default. */
export function cumsum(x: Tensor, { axis = -1 }: { readonly axis?: number } = {}): Tensor {
  const [at] = reducedAxes("cumsum", x.shape, [axis]);
  return scan(x, at, add);
}
