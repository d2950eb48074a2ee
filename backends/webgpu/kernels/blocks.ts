import * as ops from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";

/** Dims that sumPool and upsampleNearest share. */
export const blockDims = (node: Tensor): Record<string, number> => {
  const { factor, scale } = ops.attrsOf(node, ops.sumPool.spec, ops.upsampleNearest.spec);
  return { OW: node.shape.at(-1)!, W: node.inputs[0].shape.at(-1)!, FACTOR: factor, scale };
};
