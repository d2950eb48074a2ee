import * as ops from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import { at, type Lowering } from "../kernel.ts";
import { copyRows } from "./copyRows.ts";

export const slice: Lowering = {
  op: "slice",
  plan(node) {
    const [x] = node.inputs;
    const { axis, start } = ops.attrsOf(node, ops.slice.spec);
    const rows = sizeOf(x.shape.slice(0, axis));
    const unit = sizeOf(x.shape.slice(axis + 1));
    const [width, taken] = [x.shape[axis] * unit, node.shape[axis] * unit];
    return { calls: [copyRows([at(x, start * unit), at(node)], rows, taken, width, taken)] };
  },
};
