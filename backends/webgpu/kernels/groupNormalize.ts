import type { Lowering } from "../kernel.ts";
import { groupVariants } from "./groups.ts";

/** See wgsl/groupNormalize.wgsl and wgsl/groupNormalizeSubgroup.wgsl. */
export const groupNormalize: Lowering = {
  op: "groupNormalize",
  variants: groupVariants("groupNormalize", () => ({})),
};
