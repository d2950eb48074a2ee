import * as ops from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import { at, type Lowering } from "../kernel.ts";
import { copyRows } from "./copyRows.ts";

export const concat: Lowering = {
  op: "concat",
  plan(node) {
    const [a, b] = node.inputs;
    const rows = sizeOf(a.shape.slice(0, ops.attrsOf(node, ops.concat.spec).axis));
    const [widthA, widthB] = [a, b].map(({ shape }) => sizeOf(shape) / rows);
    const width = widthA + widthB;
    return {
      calls: [
        copyRows([at(a), at(node)], rows, widthA, widthA, width),
        copyRows([at(b), at(node, widthA)], rows, widthB, widthB, width),
      ],
    };
  },
};
