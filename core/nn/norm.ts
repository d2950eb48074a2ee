import { add, layerNorm as layerNormalise, mul, type NormActivation, groupNorm as normalise } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ones, type Scope, zeros } from "./scope.ts";

/** What a group normalisation may do besides. */
export interface GroupNormOptions {
  /** What follows scale and shift; default none. */
  readonly activation?: NormActivation;
  /** Adaptive normalisation (AdaGN): (normalised · weight + bias) · (1 + scale) + shift, both [B, C]. */
  readonly adapt?: { readonly scale: Tensor; readonly shift: Tensor };
}

/**
 * Group normalisation with scale and shift (Wu & He 2018). x [B, C, ...]; parameters `weight`, `bias` [C].
 * @param groups must divide C
 */
export function groupNorm(
  scope: Scope,
  x: Tensor,
  groups: number,
  eps = 1e-5,
  { activation, adapt }: GroupNormOptions = {},
): Tensor {
  const [, C] = x.shape;
  const weight = scope.parameter("weight", [C], ones);
  const bias = scope.parameter("bias", [C], zeros);
  if (!adapt) return normalise(x, weight, bias, { groups, eps, activation });
  const factor = add(adapt.scale, 1);
  return normalise(x, mul(factor, weight), add(mul(factor, bias), adapt.shift), {
    groups,
    eps,
    activation,
  });
}

/** Layer normalisation over the last axis with scale and shift (Ba et al. 2016). x [..., D]; `weight`, `bias` [D]. */
export function layerNorm(scope: Scope, x: Tensor, eps = 1e-5): Tensor {
  const D = x.shape.at(-1)!;
  const weight = scope.parameter("weight", [D], ones);
  const bias = scope.parameter("bias", [D], zeros);
  return layerNormalise(x, weight, bias, { eps });
}
