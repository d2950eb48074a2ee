import type { Tensor } from "../../../core/tensor/tensor.ts";
import type { Lowering } from "../kernel.ts";
import { type ConvSizes, convolveForward, convSizes, convVariants } from "./convolve.ts";
import { winogradForward } from "./winograd.ts";

/** See wgsl/conv2d.wgsl, wgsl/conv2dSubgroup.wgsl and wgsl/conv2dTile.wgsl. */
export const conv2d: Lowering = { op: "conv2d", variants: convVariants(sizesOf, convolveForward, winogradForward) };

function sizesOf(node: Tensor): ConvSizes {
  const [x, weight] = node.inputs;
  return convSizes(node, x.shape, weight.shape, node.shape);
}
