import type { Lowering } from "../kernel.ts";
import { planReduction, reductionSize } from "./reduce.ts";
import { hasLanesOf8 } from "./subgroups.ts";

/** See wgsl/sum.wgsl, wgsl/sumSubgroup.wgsl and wgsl/sumWorkgroup.wgsl. */
export const sum: Lowering = {
  op: "sum",
  variants: [
    {
      name: "subgroup8",
      // Many outputs fill the lanes by themselves, and a workgroup for each would cost more than it spares.
      supports: (node, traits) => {
        const { outputs, terms } = reductionSize(node);
        return hasLanesOf8(traits) && node.dtype === "f32" && outputs <= 512 && terms >= 64;
      },
      plan: (node) =>
        planReduction(node, {
          kernel: "sumSubgroup",
          perGroup: 1,
          wanted: 32,
          direct: 2 ** 14,
          longest: 2 ** 16,
        }),
    },
    {
      name: "workgroup",
      supports: (node, { software }) => {
        const { outputs, terms } = reductionSize(node);
        return !software && node.dtype === "f32" && outputs <= 2 ** 14 && terms >= 128;
      },
      plan: (node) =>
        planReduction(node, {
          kernel: "sumWorkgroup",
          perGroup: 1,
          wanted: 256,
          direct: 2 ** 12,
          longest: 2 ** 18,
        }),
    },
    {
      name: "lanes",
      supports: () => true,
      plan: (node) =>
        planReduction(node, {
          kernel: "sum",
          perGroup: 64,
          wanted: 2048,
          direct: 2 ** 10,
          longest: 2 ** 13,
          constants: { INTEGER: Number(node.dtype === "i32") },
        }),
    },
  ],
};
