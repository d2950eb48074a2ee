import * as ops from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { grid } from "../grid.ts";
import type { KernelVariant } from "../kernel.ts";
import { hasLanesOf8 } from "./subgroups.ts";

/** Kernels that take the groups of x [B, G, K, S] one by one, with scale and shift [N, G, K]. */
export function groupVariants(kernel: string, more: (node: Tensor) => Record<string, number>): KernelVariant[] {
  const dimsOf = (node: Tensor) => {
    const [{ shape }, scale] = node.inputs;
    const [B, G, K, S] = shape;
    const { eps, activation } = ops.attrsOf(node, ops.groupNormalize.spec, ops.groupNormalizeGrad.spec);
    return {
      GROUPS: B * G,
      K,
      S,
      ROWS: scale.shape[0] * G,
      EPS: eps,
      SILU: Number(activation === "silu"),
      ...more(node),
    };
  };
  return [
    {
      name: "subgroup8",
      supports: ({ inputs: [x] }, traits) => hasLanesOf8(traits) && x.shape[3] % 4 === 0,
      plan: (node) => {
        const { S, ...dims } = dimsOf(node);
        const PER = Math.max(1, Math.min(16, Math.floor(dims.GROUPS / 64)));
        return {
          passes: [
            {
              kernel: `${kernel}Subgroup`,
              dims: { ...dims, PER, S4: S / 4 },
              workgroups: grid(Math.ceil(dims.GROUPS / PER)),
            },
          ],
        };
      },
    },
    {
      name: "workgroup",
      supports: () => true,
      plan: (node) => {
        const dims = dimsOf(node);
        return { passes: [{ kernel, dims, workgroups: grid(dims.GROUPS) }] };
      },
    },
  ];
}
