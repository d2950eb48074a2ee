import type { Tensor } from "../../../core/tensor/tensor.ts";
import type { Lowering } from "../kernel.ts";
import { type ConvSizes, convolveWeightGrad, convVariants } from "./convolve.ts";

/** See wgsl/conv2dWeightGrad.wgsl, wgsl/conv2dWeightGradSubgroup.wgsl and wgsl/conv2dWeightGradTile.wgsl. */
export const conv2dWeightGrad: Lowering = {
  op: "conv2dWeightGrad",
  variants: convVariants(sizesOf, convolveWeightGrad),
};

function sizesOf({ inputs: [x, dy], shape, attrs }: Tensor): ConvSizes {
  const [B, C, H, W] = x.shape;
  const [O, , R, S] = shape;
  const { stride, padding } = attrs as Pick<ConvSizes, "stride" | "padding">;
  return { B, C, H, W, O, R, S, OH: dy.shape[2], OW: dy.shape[3], stride, padding };
}
