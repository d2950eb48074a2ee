import * as ops from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import type { Lowering } from "../kernel.ts";
import { perElement } from "./perElement.ts";

/** See wgsl/pad.wgsl. */
export const pad: Lowering = {
  op: "pad",
  variants: [
    perElement("pad", (node) => {
      const {
        inputs: [x],
        shape,
      } = node;
      const { axis, before } = ops.attrsOf(node, ops.pad.spec);
      return {
        WIDTH: sizeOf(x.shape.slice(axis)),
        BEFORE: before * sizeOf(x.shape.slice(axis + 1)),
        PADDED: sizeOf(shape.slice(axis)),
      };
    }),
  ],
};
