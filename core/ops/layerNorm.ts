import { formatShape, sameShape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./add.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { mul } from "./mul.ts";
import { normalize } from "./normalize.ts";
import { shapeFailure } from "./op.ts";
import { reshape } from "./reshape.ts";

/**
 * Layer normalisation: the last axes of x, as many as gamma has (one without gamma), to mean 0 and variance 1, then
 * y = gamma · normalised + beta. Ba et al. 2016, arXiv:1607.06450.
 */
export const layerNorm: Composed<[x: Tensor, gamma?: Tensor, beta?: Tensor, options?: { readonly eps?: number }]> =
  defineComposed({
    name: "layerNorm",
    parameters: ["x: Tensor", "gamma?: Tensor", "beta?: Tensor", { "eps?": "number" }],
    build: (x, gamma, beta, { eps = 1e-5 } = {}) => {
      const rank = (gamma ?? beta)?.shape.length ?? 1;
      const core = x.shape.slice(x.shape.length - rank);
      for (const [name, affine] of Object.entries({ gamma, beta }))
        if (affine && !sameShape(affine.shape, core))
          throw shapeFailure(
            "layerNorm",
            { x: x.shape, [name]: affine.shape },
            `the last axes of x are ${formatShape(core)}`,
          );
      let y = reshape(normalize(reshape(x, [-1, sizeOf(core)]), { eps }), x.shape);
      if (gamma) y = mul(y, gamma);
      if (beta) y = add(y, beta);
      return y;
    },
  });
