import * as ops from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import { bitsOf } from "../../../core/tensor/tensor.ts";
import { at, grainOf, type Lowering } from "../kernel.ts";

export const pad: Lowering = {
  op: "pad",
  plan(node) {
    const [x] = node.inputs;
    const { axis, before, after, value } = ops.attrsOf(node, ops.pad.spec);
    const rows = sizeOf(x.shape.slice(0, axis));
    const unit = sizeOf(x.shape.slice(axis + 1));
    const width = x.shape[axis] * unit;
    const args = [at(x), at(node), width, before * unit, after * unit, bitsOf(value, x.dtype) | 0];
    const grain = grainOf(0.4 * (width + (before + after) * unit) + 5);
    return { calls: [{ fn: "padRows", args, items: rows, grain }] };
  },
};
