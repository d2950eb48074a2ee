import * as ops from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import { bitsOf } from "../../../core/tensor/tensor.ts";
import type { Lowering } from "../kernel.ts";
import { perElement } from "./perElement.ts";

/** See wgsl/pad.wgsl. */
export const pad: Lowering = {
  op: "pad",
  variants: [
    perElement("pad", (node) => {
      const [x] = node.inputs;
      const { axis, before, value } = ops.attrsOf(node, ops.pad.spec);
      return {
        WIDTH: sizeOf(x.shape.slice(axis)),
        BEFORE: before * sizeOf(x.shape.slice(axis + 1)),
        PADDED: sizeOf(node.shape.slice(axis)),
        BITS: bitsOf(value, x.dtype),
      };
    }),
  ],
};
