import * as ops from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { at, type Call, grainOf, type Lowering, own, temp } from "../kernel.ts";
import { kindOf } from "../widening.ts";
import { convGeometry, evenPart, FLOPS, panelsOf, planeSize, roundUp, sizesOf, stripRows } from "./convolution.ts";
import { convVariant, winogradConv } from "./winograd.ts";

/** Elements of packed weights, 16 MB: those of more outputs are packed, and used, one part after another. */
const MAX_PACKED = 1 << 22;
/** Fewest outputs of a part: each packs the planes of x anew. */
const MIN_OUTPUTS = 48;
/** Elements of a thread's own space while it packs halves. */
const PACKING_SPACE = 6 * 256;

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
    const part = O * depth <= MAX_PACKED ? O : evenPart(O, Math.max(MIN_OUTPUTS, Math.floor(MAX_PACKED / depth)));
    const calls = Array.from({ length: Math.ceil(O / part) }, (_, i): Call[] => {
      const first = i * part;
      const outputs = Math.min(part, O - first);
      const { count, padded } = panelsOf(outputs);
      return [
        {
          fn: "convPackWeights",
          args: [at(weight), temp(0), own, first, outputs, depth, kindOf(weight)],
          items: count,
          grain: grainOf(4 * depth),
        },
        {
          fn: "convForward",
          args: [
            at(x),
            temp(0),
            at(node, first * OH * OW),
            own,
            ...sizesOf(g),
            rows,
            pitch,
            plane,
            Number(inPlace),
            outputs,
          ],
          items: B * Math.ceil(OH / rows),
          grain: grainOf((2 * rows * roundUp(OW, 4) * padded * depth) / FLOPS),
        },
      ];
    });
    const computing = depth + rows * Math.ceil(OW / 4) * 3 + (inPlace ? 0 : planes * plane);
    return {
      calls: calls.flat(),
      variant: "direct",
      temps: [panelsOf(part).padded * depth],
      threadSpace: Math.max(computing, kindOf(weight) > 0 ? PACKING_SPACE : 0),
      halves: [weight],
    };
  },
};
