import * as ops from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import type { Lowering } from "../kernel.ts";
import { perElement } from "./perElement.ts";

/** See wgsl/slice.wgsl. */
export const slice: Lowering = {
  op: "slice",
  variants: [
    perElement("slice", (node) => {
      const {
        inputs: [x],
        shape,
      } = node;
      const { axis, start } = ops.attrsOf(node, ops.slice.spec);
      return {
        WIDTH: sizeOf(x.shape.slice(axis)),
        START: start * sizeOf(x.shape.slice(axis + 1)),
        TAKEN: sizeOf(shape.slice(axis)),
      };
    }),
  ],
};
