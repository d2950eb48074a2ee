import type { Tensor } from "../tensor/tensor.ts";
import { mul } from "./mul.ts";
import { shapeFailure } from "./op.ts";
import { reshape } from "./reshape.ts";
import { constantArray } from "./sources.ts";

/**
 * The weight [O, I, R, S] of a grouped convolution as the weight [O, groups·I, R, S] of an ordinary one, with zeros
 * between channels of different groups. Grouped layers are rare and small in the networks here, and this costs no kernel.
 */
export function blockDiagonal(weight: Tensor, groups: number): Tensor {
  if (groups === 1) return weight;
  const [O, I, R, S] = weight.shape;
  if (O % groups !== 0)
    throw shapeFailure("blockDiagonal", { weight: weight.shape }, `${O} is not a multiple of ${groups} groups`);
  const own = Array.from({ length: groups ** 2 }, (_, i) => (i % (groups + 1) === 0 ? 1 : 0));
  const mask = constantArray(own, [groups, 1, groups, 1, 1, 1]);
  const spread = mul(reshape(weight, [groups, O / groups, 1, I, R, S]), mask);
  return reshape(spread, [O, groups * I, R, S]);
}
