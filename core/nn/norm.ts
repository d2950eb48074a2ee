import { groupNorm as normalise } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ones, type Scope, zeros } from "./scope.ts";

/**
 * Group normalisation with scale and shift (Wu & He 2018). x [B, C, ...]; parameters `weight`, `bias` [C].
 * @param groups must divide C
 */
export function groupNorm(scope: Scope, x: Tensor, groups: number, eps = 1e-5): Tensor {
  const [, C] = x.shape;
  const weight = scope.parameter("weight", [C], ones);
  const bias = scope.parameter("bias", [C], zeros);
  return normalise(x, weight, bias, { groups, eps });
}
