import { sizeOf } from "../../../core/tensor/shape.ts";
import type { Lowering } from "../kernel.ts";
import { perElement } from "./perElement.ts";

/** See wgsl/slice.wgsl. */
export const slice: Lowering = {
  op: "slice",
  variants: [
    perElement("slice", ({ inputs: [x], shape, attrs }) => {
      const { axis, start } = attrs as { axis: number; start: number };
      return {
        WIDTH: sizeOf(x.shape.slice(axis)),
        START: start * sizeOf(x.shape.slice(axis + 1)),
        TAKEN: sizeOf(shape.slice(axis)),
      };
    }),
  ],
};
