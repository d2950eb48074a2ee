import { sizeOf } from "../../../core/tensor/shape.ts";
import type { Lowering } from "../kernel.ts";
import { perElement } from "./perElement.ts";

/** See wgsl/pad.wgsl. */
export const pad: Lowering = {
  op: "pad",
  variants: [
    perElement("pad", ({ inputs: [x], shape, attrs }) => {
      const { axis, before } = attrs as { axis: number; before: number };
      return {
        WIDTH: sizeOf(x.shape.slice(axis)),
        BEFORE: before * sizeOf(x.shape.slice(axis + 1)),
        PADDED: sizeOf(shape.slice(axis)),
      };
    }),
  ],
};
