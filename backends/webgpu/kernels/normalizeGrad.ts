import type { Tensor } from "../../../core/tensor/tensor.ts";
import type { Lowering } from "../kernel.ts";
import { subgroupRows, workgroupRows } from "./rows.ts";

const eps = ({ attrs }: Tensor) => ({ EPS: attrs.eps as number });

/** See wgsl/normalizeGrad.wgsl and wgsl/normalizeGradSubgroup.wgsl. */
export const normalizeGrad: Lowering = {
  op: "normalizeGrad",
  variants: [subgroupRows("normalizeGradSubgroup", eps), workgroupRows("normalizeGrad", eps)],
};
