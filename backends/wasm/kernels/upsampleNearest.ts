import * as ops from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import { at, f32, grainOf, type Lowering } from "../kernel.ts";

export const upsampleNearest: Lowering = {
  op: "upsampleNearest",
  plan(node) {
    const [x] = node.inputs;
    const { factor, scale } = ops.attrsOf(node, ops.upsampleNearest.spec);
    const W = x.shape[x.shape.length - 1];
    const args = [at(x), at(node), W, factor, f32(scale)];
    const grain = grainOf(0.5 * W * factor ** 2 + 10);
    return { calls: [{ fn: "upsampleRows", args, items: sizeOf(x.shape) / W, grain }] };
  },
};
