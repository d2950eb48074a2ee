import type { Lowering } from "../kernel.ts";
import { blockDims } from "./blocks.ts";
import { perElement } from "./perElement.ts";

/** See wgsl/sumPool.wgsl. */
export const sumPool: Lowering = {
  op: "sumPool",
  variants: [perElement("sumPool", blockDims)],
};
