import * as ops from "../../../core/ops/mod.ts";
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
        return { STREAM: stream >>> 0, NORMAL: Number(distribution === "normal") };
      },
      (count) => Math.ceil(count / 4),
    ),
  ],
};
