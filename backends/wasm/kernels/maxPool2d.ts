import * as ops from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import { at, grainOf, type Lowering, own } from "../kernel.ts";

export const maxPool2d: Lowering = {
  op: "maxPool2d",
  plan(node) {
    const [x] = node.inputs;
    const { kernel, stride, padding } = ops.attrsOf(node, ops.maxPool2d.spec);
    const [[H, W], [OH, OW]] = [x, node].map(({ shape }) => shape.slice(-2));
    const args = [at(x), at(node), own, H, W, OH, OW, ...kernel, ...stride, ...padding];
    const grain = grainOf(0.2 * (W * kernel[0] + OW * kernel[1]) + 10);
    const padded = Math.max((OW - 1) * stride[1] + kernel[1], padding[1] + W);
    return { calls: [{ fn: "maxPoolRows", args, items: sizeOf(node.shape) / OW, grain }], threadSpace: padded };
  },
};
