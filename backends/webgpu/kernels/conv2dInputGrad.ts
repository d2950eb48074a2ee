import type { Tensor } from "../../../core/tensor/tensor.ts";
import type { Lowering } from "../kernel.ts";
import { type ConvSizes, convolveInputGrad, convVariants } from "./convolve.ts";

/** See wgsl/conv2d.wgsl, wgsl/conv2dSubgroup.wgsl and wgsl/conv2dTile.wgsl. */
export const conv2dInputGrad: Lowering = {
  op: "conv2dInputGrad",
  variants: convVariants(sizesOf, convolveInputGrad),
};

function sizesOf({ inputs: [dy, weight], shape, attrs }: Tensor): ConvSizes {
  const [B, C, H, W] = shape;
  const [O, , R, S] = weight.shape;
  const { stride, padding } = attrs as Pick<ConvSizes, "stride" | "padding">;
  return { B, C, H, W, O, R, S, OH: dy.shape[2], OW: dy.shape[3], stride, padding };
}
