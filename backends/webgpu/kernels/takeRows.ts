import type { Lowering } from "../kernel.ts";
import { perElement } from "./perElement.ts";

/** See wgsl/takeRows.wgsl. */
export const takeRows: Lowering = {
  op: "takeRows",
  variants: [perElement("takeRows", ({ inputs: [table] }) => ({ V: table.shape[0], D: table.shape[1] }))],
};
