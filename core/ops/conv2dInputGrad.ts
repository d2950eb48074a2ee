import type { Tensor } from "../tensor/tensor.ts";
import { conv2d } from "./conv2d.ts";
import { conv2dWeightGrad } from "./conv2dWeightGrad.ts";
import { type ConvAttrs, forEachTap } from "./convolution.ts";
import { defineOp, type Op } from "./op.ts";

type InputGradAttrs = ConvAttrs & { readonly size: readonly [number, number] };

/**
 * Gradient of conv2d with respect to its input, which is also the transposed convolution:
 * x[b,c] = Σ_o dy[b,o] spread by weight[o,c]. `size` is H and W of the result.
 */
export const conv2dInputGrad: Op<[dy: Tensor, weight: Tensor, attrs: InputGradAttrs]> = defineOp({
  name: "conv2dInputGrad",
  signature: "dy[B O OH OW], weight[O C R S] -> x[B C H W]",
  attrs: { stride: [1, 1], padding: [0, 0], size: [0, 0] } as InputGradAttrs,
  dims: ({ size }) => ({ H: size[0], W: size[1] }),
  // Linear in dy and in weight, so both derivatives are convolutions again.
  vjp: ({ dy, weight, attrs: { stride, padding } }, dx) => ({
    dy: conv2d(dx, weight, { stride, padding }),
    weight: conv2dWeightGrad(dx, dy, {
      stride,
      padding,
      kernel: [weight.shape[2], weight.shape[3]],
    }),
  }),
  reference: (context, dy, weight, x) => {
    const { B, C, H, W, O, R, S, OH, OW } = context;
    forEachTap(context, context, (outPixel, tap, inPixel) => {
      for (let b = 0; b < B; b++)
        for (let o = 0; o < O; o++)
          for (let c = 0; c < C; c++)
            x[(b * C + c) * H * W + inPixel] +=
              dy[(b * O + o) * OH * OW + outPixel] * weight[(o * C + c) * R * S + tap];
    });
  },
});
