import type { Lowering } from "../kernel.ts";
import { perElement } from "./perElement.ts";

/** See wgsl/addRows.wgsl. */
export const addRows: Lowering = {
  op: "addRows",
  variants: [
    perElement("addRows", ({ inputs: [x], shape }) => ({
      M: x.shape[0],
      D: x.shape[1],
      V: shape[0],
    })),
  ],
};
