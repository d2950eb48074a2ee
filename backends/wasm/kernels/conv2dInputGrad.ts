import * as ops from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { at, grainOf, type Lowering, own, temp } from "../kernel.ts";
import { convGeometry, FLOPS, panelsOf, planeSize, roundUp, sizesOf, stripRows } from "./convolution.ts";
import { convVariant, winogradConv } from "./winograd.ts";

/** As conv2d, with the weights transposed and flipped, and one convolution for each phase of the stride. */
export const conv2dInputGrad: Lowering = {
  op: "conv2dInputGrad",
  plan(node: Tensor) {
    const [dy, weight] = node.inputs;
    const g = convGeometry(node.shape, weight.shape, dy.shape, ops.attrsOf(node, ops.conv2dInputGrad.spec));
    if (convVariant("conv2dInputGrad", g) === "winograd") return winogradConv(dy, weight, node, g, true);
    const { B, C, H, W, O, R, S, stride, padding, inPlace } = g;
    // Windows that reach the image, numbered as the rows and columns of an endless dy.
    const windows = (size: number, axis: 0 | 1): number =>
      Math.floor((size - 1 + padding[axis]) / stride[axis]) - Math.floor(padding[axis] / stride[axis]) + 1;
    const [down, across] = [windows(H, 0), windows(W, 1)];
    const halo = Math.ceil(R / stride[0]) - 1;
    // Phases may start one column later than the first.
    const pitch = roundUp(across, 4) + Math.ceil(S / stride[1]) - 1 + Number(stride[1] > 1);
    const rows = stripRows(down, halo, B, O * pitch);
    const plane = inPlace ? H * W : planeSize(rows + halo, pitch);
    const depth = O * R * S;
    const panels = panelsOf(C);
    return {
      calls: [
        {
          fn: "convPackInputWeights",
          args: [at(weight), temp(0), O, C, R, S, ...stride],
          items: panels.count,
          grain: grainOf(6 * depth),
        },
        {
          fn: "convInputGrad",
          args: [at(dy), temp(0), at(node), own, ...sizesOf(g), rows, pitch, plane, Number(inPlace)],
          items: B * Math.ceil(down / rows),
          grain: grainOf((2 * rows * roundUp(across, 4) * panels.padded * depth) / FLOPS),
        },
      ],
      variant: "direct",
      temps: [panels.padded * depth],
      threadSpace: depth + rows * Math.ceil(across / 4) * 3 + (inPlace ? 0 : O * plane),
    };
  },
};
