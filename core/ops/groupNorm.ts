import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./add.ts";
import { mul } from "./mul.ts";
import { normalize } from "./normalize.ts";
import { shapeFailure } from "./op.ts";
import { reshape } from "./reshape.ts";

/**
 * Group normalisation: the channels of x [B, C, ...] in `groups` groups, each with its space to mean 0 and variance 1,
 * then y = gamma · normalised + beta with gamma and beta [C]. Wu & He 2018, arXiv:1803.08494.
 */
export function groupNorm(
  x: Tensor,
  gamma: Tensor | undefined,
  beta: Tensor | undefined,
  { groups, eps = 1e-5 }: { readonly groups: number; readonly eps?: number },
): Tensor {
  const [B, C, ...space] = x.shape;
  if (C === undefined || C % groups !== 0)
    throw shapeFailure(
      "groupNorm",
      { x: x.shape },
      `C is ${C}, not a multiple of ${groups} groups`,
    );
  for (const [name, affine] of Object.entries({ gamma, beta }))
    if (affine && (affine.shape.length !== 1 || affine.shape[0] !== C))
      throw shapeFailure(
        "groupNorm",
        { x: x.shape, [name]: affine.shape },
        `C is ${C} in x but ${affine.shape} in ${name}`,
      );
  const perChannel = (affine: Tensor) => reshape(affine, [C, ...space.map(() => 1)]);
  let y = reshape(normalize(reshape(x, [B, groups, -1]), { eps }), x.shape);
  if (gamma) y = mul(y, perChannel(gamma));
  if (beta) y = add(y, perChannel(beta));
  return y;
}
