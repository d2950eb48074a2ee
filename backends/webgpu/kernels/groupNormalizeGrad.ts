import { gradPlaces } from "../../../core/ops/groupNormalize.ts";
import type { Lowering } from "../kernel.ts";
import { groupVariants } from "./groups.ts";

/** See wgsl/groupNormalizeGrad.wgsl and wgsl/groupNormalizeGradSubgroup.wgsl. */
export const groupNormalizeGrad: Lowering = {
  op: "groupNormalizeGrad",
  variants: groupVariants("groupNormalizeGrad", ({ inputs: [x] }) => {
    const { dScale, dShift } = gradPlaces(x.shape);
    return { DSCALE: dScale, DSHIFT: dShift };
  }),
};
