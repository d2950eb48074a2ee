import type { Lowering } from "../kernel.ts";
import { blockDims } from "./blocks.ts";
import { perElement } from "./perElement.ts";

/** See wgsl/upsampleNearest.wgsl. */
export const upsampleNearest: Lowering = {
  op: "upsampleNearest",
  variants: [perElement("upsampleNearest", blockDims)],
};
