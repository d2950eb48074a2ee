import * as ops from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import type { Lowering } from "../kernel.ts";
import { subgroupRows, workgroupRows } from "./rows.ts";

const eps = (node: Tensor) => ({ EPS: ops.attrsOf(node, ops.normalize.spec).eps });

/** See wgsl/normalize.wgsl and wgsl/normalizeSubgroup.wgsl. */
export const normalize: Lowering = {
  op: "normalize",
  variants: [subgroupRows("normalizeSubgroup", eps), workgroupRows("normalize", eps)],
};
