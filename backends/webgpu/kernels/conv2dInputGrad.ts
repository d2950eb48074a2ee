import type { Tensor } from "../../../core/tensor/tensor.ts";
import type { Lowering } from "../kernel.ts";
import { type ConvSizes, convolveInputGrad, convSizes, convVariants } from "./convolve.ts";
import { winogradInputGrad } from "./winograd.ts";

/** See wgsl/conv2d.wgsl, wgsl/conv2dSubgroup.wgsl and wgsl/conv2dTile.wgsl. */
export const conv2dInputGrad: Lowering = {
  op: "conv2dInputGrad",
  variants: convVariants(sizesOf, convolveInputGrad, winogradInputGrad),
};

function sizesOf(node: Tensor): ConvSizes {
  const [dy, weight] = node.inputs;
  return convSizes(node, node.shape, weight.shape, dy.shape);
}
