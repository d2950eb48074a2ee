import * as ops from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { at, grainOf, type Lowering, own, temp } from "../kernel.ts";
import { convGeometry, FLOPS, panelsOf, planeSize, roundUp, sizesOf, stripRows } from "./convolution.ts";
import { convVariant, winogradConv } from "./winograd.ts";

/** Weights packed once, then images in strips: padded planes in the thread's own space, times the weights. */
export const conv2d: Lowering = {
  op: "conv2d",
  plan(node: Tensor) {
    const [x, weight] = node.inputs;
    const g = convGeometry(x.shape, weight.shape, node.shape, ops.attrsOf(node, ops.conv2d.spec));
    if (convVariant("conv2d", g) === "winograd") return winogradConv(x, weight, node, g, false);
    const { B, C, H, W, O, R, S, OH, OW, stride, inPlace } = g;
    const depth = C * R * S;
    const halo = Math.floor((R - 1) / stride[0]);
    const pitch = roundUp(OW, 4) + Math.floor((S - 1) / stride[1]);
    const planes = C * Math.min(stride[0], R) * Math.min(stride[1], S);
    const rows = stripRows(OH, halo, B, planes * pitch);
    const plane = inPlace ? H * W : planeSize(rows + halo, pitch);
    const panels = panelsOf(O);
    return {
      calls: [
        {
          fn: "convPackWeights",
          args: [at(weight), temp(0), O, depth],
          items: panels.count,
          grain: grainOf(4 * depth),
        },
        {
          fn: "convForward",
          args: [at(x), temp(0), at(node), own, ...sizesOf(g), rows, pitch, plane, Number(inPlace)],
          items: B * Math.ceil(OH / rows),
          grain: grainOf((2 * rows * roundUp(OW, 4) * panels.padded * depth) / FLOPS),
        },
      ],
      variant: "direct",
      temps: [panels.padded * depth],
      threadSpace: depth + rows * Math.ceil(OW / 4) * 3 + (inPlace ? 0 : planes * plane),
    };
  },
};
