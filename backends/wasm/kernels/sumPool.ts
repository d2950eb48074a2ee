import * as ops from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import { at, f32, grainOf, type Lowering } from "../kernel.ts";

export const sumPool: Lowering = {
  op: "sumPool",
  plan(node) {
    const [x] = node.inputs;
    const { factor, scale } = ops.attrsOf(node, ops.sumPool.spec);
    const OW = node.shape[node.shape.length - 1];
    const args = [at(x), at(node), OW, factor, f32(scale)];
    const grain = grainOf(0.5 * OW * factor ** 2 + 10);
    return { calls: [{ fn: "sumPoolRows", args, items: sizeOf(node.shape) / OW, grain }] };
  },
};
