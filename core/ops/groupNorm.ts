import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { broadcastTo } from "./broadcastTo.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { groupNormalize, type NormActivation } from "./groupNormalize.ts";
import { shapeFailure } from "./op.ts";
import { reshape } from "./reshape.ts";
import { constant } from "./sources.ts";

interface GroupNormOptions {
  readonly groups: number;
  readonly eps?: number;
  readonly activation?: NormActivation;
}

/**
 * Group normalisation: the channels of x [B, C, ...] in `groups` groups, each with its space to mean 0 and variance 1,
 * then y = act(gamma · normalised + beta) with gamma and beta [C], or [B, C] for one scale and shift an image.
 * `activation` "silu" makes it y · sigmoid(y), at no cost beyond the normalisation's. Wu & He 2018, arXiv:1803.08494.
 */
export const groupNorm: Composed<
  [x: Tensor, gamma: Tensor | undefined, beta: Tensor | undefined, options: GroupNormOptions]
> = defineComposed({
  name: "groupNorm",
  parameters: [
    "x: Tensor",
    "gamma?: Tensor",
    "beta?: Tensor",
    { groups: "number", "eps?": "number", "activation?": '"none" | "silu"' },
  ],
  build: (x, gamma, beta, { groups, eps = 1e-5, activation = "none" }) => {
    const [B, C, ...space] = x.shape;
    if (C === undefined || C % groups !== 0)
      throw shapeFailure("groupNorm", { x: x.shape }, `C is ${C}, not a multiple of ${groups} groups`);
    const perImage = [gamma, beta].some((affine) => affine?.shape.length === 2);
    const rows = (name: string, affine: Tensor | undefined, otherwise: number) => {
      const channels = affine?.shape.at(-1) ?? C;
      const fits = affine === undefined || isRow(affine.shape, C) || (perImage && isRows(affine.shape, B, C));
      if (!fits)
        throw shapeFailure(
          "groupNorm",
          { x: x.shape, [name]: affine.shape },
          `C is ${C} in x but ${channels} in ${name}`,
        );
      const given = affine ?? constant(otherwise, "f32", [C]);
      const count = perImage ? B : 1;
      const shape: Shape = [count, groups, C / groups];
      if (count === 1 || given.shape.length === 2) return reshape(given, shape);
      return reshape(broadcastTo(given, { shape: [B, C] }), shape);
    };
    const parts = reshape(x, [B, groups, C / groups, space.reduce((a, b) => a * b, 1)]);
    const y = groupNormalize(parts, rows("gamma", gamma, 1), rows("beta", beta, 0), {
      eps,
      activation,
    });
    return reshape(y, x.shape);
  },
});

const isRow = (shape: Shape, C: number) => shape.length === 1 && shape[0] === C;
const isRows = (shape: Shape, B: number, C: number) => shape.length === 2 && shape[0] === B && shape[1] === C;
