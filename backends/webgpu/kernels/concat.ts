import { sizeOf } from "../../../core/tensor/shape.ts";
import type { Lowering } from "../kernel.ts";
import { perElement } from "./perElement.ts";

/** See wgsl/concat.wgsl. */
export const concat: Lowering = {
  op: "concat",
  variants: [
    perElement("concat", ({ inputs: [a, b], attrs }) => {
      const axis = attrs.axis as number;
      return { A: sizeOf(a.shape.slice(axis)), B: sizeOf(b.shape.slice(axis)) };
    }),
  ],
};
