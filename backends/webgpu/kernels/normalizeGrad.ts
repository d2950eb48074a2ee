import * as ops from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import type { Lowering } from "../kernel.ts";
import { subgroupRows, workgroupRows } from "./rows.ts";

const eps = (node: Tensor) => ({ EPS: ops.attrsOf(node, ops.normalizeGrad.spec).eps });

/** See wgsl/normalizeGrad.wgsl and wgsl/normalizeGradSubgroup.wgsl. */
export const normalizeGrad: Lowering = {
  op: "normalizeGrad",
  variants: [subgroupRows("normalizeGradSubgroup", eps), workgroupRows("normalizeGrad", eps)],
};
