import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./add.ts";
import { blockDiagonal } from "./blockDiagonal.ts";
import { defineComposed } from "./composed.ts";
import { conv2dInputGrad } from "./conv2dInputGrad.ts";
import { conv2dWeightGrad } from "./conv2dWeightGrad.ts";
import { type ConvAttrs, convKinds, forEachTap, type Pair, pairOf } from "./convolution.ts";
import { defineOp, type Op } from "./op.ts";
import { reshape } from "./reshape.ts";

/** Options of conv2d. */
export interface ConvOptions {
  /** Steps of the window along H and W; 1 when absent. */
  readonly stride?: Pair;
  /** Zeros added on both sides of H and W; 0 when absent. */
  readonly padding?: Pair;
  /** The channels fall into as many groups, each convolved by its own part of the weight [O, C/groups, R, S]. */
  readonly groups?: number;
  /** [O], added to every pixel. */
  readonly bias?: Tensor;
}

const correlate: Op<[x: Tensor, weight: Tensor, attrs: ConvAttrs]> = defineOp({
  name: "conv2d",
  signature: "x[B C H W], weight[O C R S] -> y[B O OH OW]",
  attrs: { stride: [1, 1], padding: [0, 0] } as ConvAttrs,
  dims: ({ H, W, R, S, stride, padding }) => ({
    OH: Math.floor((H + 2 * padding[0] - R) / stride[0]) + 1,
    OW: Math.floor((W + 2 * padding[1] - S) / stride[1]) + 1,
  }),
  vjp: ({ x, weight, attrs }, dy) => ({
    x: conv2dInputGrad(dy, weight, { ...attrs, size: [x.shape[2], x.shape[3]] }),
    weight: conv2dWeightGrad(x, dy, { ...attrs, kernel: [weight.shape[2], weight.shape[3]] }),
  }),
  reference: (context, x, weight, y) => {
    const { B, C, H, W, O, R, S, OH, OW } = context;
    forEachTap(context, context, (outPixel, tap, inPixel) => {
      for (let b = 0; b < B; b++)
        for (let o = 0; o < O; o++)
          for (let c = 0; c < C; c++)
            y[(b * O + o) * OH * OW + outPixel] += x[(b * C + c) * H * W + inPixel] * weight[(o * C + c) * R * S + tap];
    });
  },
});

/** y[b,o] = bias[o] + Σ_c x[b,c] ⋆ weight[o,c]: 2-D cross-correlation, NCHW and OIHW as in PyTorch. */
export const conv2d: Op<[x: Tensor, weight: Tensor, options?: ConvOptions], ConvAttrs> = defineComposed({
  name: "conv2d",
  parameters: ["x: Tensor", "weight: Tensor", convKinds],
  spec: correlate.spec,
  build: (x, weight, { stride = 1, padding = 0, groups = 1, bias } = {}) => {
    const dense = blockDiagonal(weight, groups);
    const y = correlate(x, dense, { stride: pairOf(stride), padding: pairOf(padding) });
    return bias ? add(y, reshape(bias, [-1, 1, 1])) : y;
  },
});
