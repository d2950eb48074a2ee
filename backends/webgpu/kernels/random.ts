import * as ops from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import type { Lowering } from "../kernel.ts";
import { perElement } from "./perElement.ts";

/** See wgsl/random.wgsl. */
export const random: Lowering = {
  op: "random",
  variants: [
    perElement(
      "random",
      (node) => {
        const { stream, distribution } = ops.attrsOf(node, ops.random.spec);
        const WIDTH = sizeOf(node.shape.slice(1));
        return { WIDTH, STREAM: stream >>> 0, NORMAL: Number(distribution === "normal") };
      },
      // The first block may begin up to three elements before the first row.
      (count) => Math.ceil((count + 3) / 4),
    ),
  ],
};
