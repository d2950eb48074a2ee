import type { Lowering } from "../kernel.ts";
import { planReduction } from "./reduce.ts";

/** See wgsl/max.wgsl. */
export const max: Lowering = {
  op: "max",
  variants: [
    {
      name: "lanes",
      supports: () => true,
      plan: (node) =>
        planReduction(node, {
          kernel: "max",
          perGroup: 64,
          wanted: 2048,
          direct: 2 ** 10,
          longest: 2 ** 20,
          constants: { INTEGER: Number(node.dtype === "i32") },
        }),
    },
  ],
};
