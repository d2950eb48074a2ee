import type { Tensor } from "../../../core/tensor/tensor.ts";
import type { Lowering } from "../kernel.ts";
import { type ConvSizes, convolveForward, convVariants } from "./convolve.ts";

/** See wgsl/conv2d.wgsl, wgsl/conv2dSubgroup.wgsl and wgsl/conv2dTile.wgsl. */
export const conv2d: Lowering = { op: "conv2d", variants: convVariants(sizesOf, convolveForward) };

function sizesOf({ inputs: [x, weight], shape, attrs }: Tensor): ConvSizes {
  const [B, C, H, W] = x.shape;
  const [O, , R, S] = weight.shape;
  const { stride, padding } = attrs as Pick<ConvSizes, "stride" | "padding">;
  return { B, C, H, W, O, R, S, OH: shape[2], OW: shape[3], stride, padding };
}
