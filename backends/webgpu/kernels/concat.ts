import * as ops from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import type { Lowering } from "../kernel.ts";
import { perElement } from "./perElement.ts";

/** See wgsl/concat.wgsl. */
export const concat: Lowering = {
  op: "concat",
  variants: [
    perElement("concat", (node) => {
      const [a, b] = node.inputs;
      const { axis } = ops.attrsOf(node, ops.concat.spec);
      return { A: sizeOf(a.shape.slice(axis)), B: sizeOf(b.shape.slice(axis)) };
    }),
  ],
};
