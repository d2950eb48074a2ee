import type { Tensor } from "../../../core/tensor/tensor.ts";
import type { Lowering } from "../kernel.ts";
import { type ConvSizes, convolveWeightGrad, convSizes, convVariants } from "./convolve.ts";
import { winogradWeightGrad } from "./winograd.ts";

/** See wgsl/conv2dWeightGrad.wgsl, wgsl/conv2dWeightGradSubgroup.wgsl and wgsl/conv2dWeightGradTile.wgsl. */
export const conv2dWeightGrad: Lowering = {
  op: "conv2dWeightGrad",
  variants: convVariants(sizesOf, convolveWeightGrad, winogradWeightGrad),
};

function sizesOf(node: Tensor): ConvSizes {
  const [x, dy] = node.inputs;
  return convSizes(node, x.shape, node.shape, dy.shape);
}
