import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./add.ts";
import { blockDiagonal } from "./blockDiagonal.ts";
import { type Composed, defineComposed } from "./composed.ts";
import type { ConvOptions } from "./conv2d.ts";
import { conv2dInputGrad } from "./conv2dInputGrad.ts";
import { convKinds, type Pair, pairOf } from "./convolution.ts";
import { shapeFailure } from "./op.ts";
import { reshape } from "./reshape.ts";

/**
 * Transposed convolution, the gradient of a convolution with respect to its input: x [B, C, H, W], weight
 * [C, O/groups, R, S] → [B, O, (H−1)·stride − 2·padding + R + outputPadding, …], as in PyTorch.
 */
export const convTranspose2d: Composed<
  [x: Tensor, weight: Tensor, options?: ConvOptions & { readonly outputPadding?: Pair }]
> = defineComposed({
  name: "convTranspose2d",
  parameters: ["x: Tensor", "weight: Tensor", { ...convKinds, "outputPadding?": "number | [number, number]" }],
  build: (x, weight, { stride = 1, padding = 0, outputPadding = 0, groups = 1, bias } = {}) => {
    if (x.shape.length !== 4 || weight.shape.length !== 4 || weight.shape[0] !== x.shape[1])
      throw shapeFailure(
        "convTranspose2d",
        { x: x.shape, weight: weight.shape },
        `C is ${x.shape[1]} in x but ${weight.shape[0]} in weight`,
      );
    const [s, p, more] = [pairOf(stride), pairOf(padding), pairOf(outputPadding)];
    const along = (i: 0 | 1) => (x.shape[2 + i] - 1) * s[i] - 2 * p[i] + weight.shape[2 + i] + more[i];
    const y = conv2dInputGrad(x, blockDiagonal(weight, groups), {
      stride: s,
      padding: p,
      size: [along(0), along(1)],
    });
    return bias ? add(y, reshape(bias, [-1, 1, 1])) : y;
  },
});
