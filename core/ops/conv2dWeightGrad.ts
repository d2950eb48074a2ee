import type { Tensor } from "../tensor/tensor.ts";
import { conv2d } from "./conv2d.ts";
import { conv2dInputGrad } from "./conv2dInputGrad.ts";
import { type ConvAttrs, forEachTap } from "./convolution.ts";
import { defineOp, type Op } from "./op.ts";

type WeightGradAttrs = ConvAttrs & { readonly kernel: readonly [number, number] };

/** Gradient of conv2d with respect to its weight: weight[o,c] = Σ_b x[b,c] ⋆ dy[b,o]. `kernel` is R and S. */
export const conv2dWeightGrad: Op<[x: Tensor, dy: Tensor, attrs: WeightGradAttrs]> = defineOp({
  name: "conv2dWeightGrad",
  signature: "x[B C H W], dy[B O OH OW] -> weight[O C R S]",
  attrs: { stride: [1, 1], padding: [0, 0], kernel: [0, 0] } as WeightGradAttrs,
  dims: ({ kernel }) => ({ R: kernel[0], S: kernel[1] }),
  // Linear in x and in dy, so both derivatives are convolutions again.
  vjp: ({ x, dy, attrs: { stride, padding } }, dw) => ({
    x: conv2dInputGrad(dy, dw, { stride, padding, size: [x.shape[2], x.shape[3]] }),
    dy: conv2d(x, dw, { stride, padding }),
  }),
  reference: (context, x, dy, weight) => {
    const { B, C, H, W, O, R, S, OH, OW } = context;
    forEachTap(context, context, (outPixel, tap, inPixel) => {
      for (let b = 0; b < B; b++)
        for (let o = 0; o < O; o++)
          for (let c = 0; c < C; c++)
            weight[(o * C + c) * R * S + tap] +=
              x[(b * C + c) * H * W + inPixel] * dy[(b * O + o) * OH * OW + outPixel];
    });
  },
});
