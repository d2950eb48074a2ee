import * as ops from "../../../core/ops/mod.ts";
import type { Lowering } from "../kernel.ts";
import { perElement } from "./perElement.ts";

/** See wgsl/maxPool2d.wgsl. */
export const maxPool2d: Lowering = {
  op: "maxPool2d",
  variants: [
    perElement("maxPool2d", (node) => {
      const { kernel, stride, padding } = ops.attrsOf(node, ops.maxPool2d.spec);
      const [H, W] = node.inputs[0].shape.slice(-2);
      const [OH, OW] = node.shape.slice(-2);
      const [[R, S], [STRIDE_H, STRIDE_W], [PAD_H, PAD_W]] = [kernel, stride, padding];
      return { H, W, OH, OW, R, S, STRIDE_H, STRIDE_W, PAD_H, PAD_W };
    }),
  ],
};
