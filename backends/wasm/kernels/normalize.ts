import * as ops from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import { at, f32, grainOf, type Lowering, own } from "../kernel.ts";

/** Elements of own space for the moments of a row: MOMENTS_BYTES of assembly/lib/moments.ts. */
export const MOMENTS = 48;

export const normalize: Lowering = {
  op: "normalize",
  plan(node) {
    const N = node.shape.at(-1)!;
    const call = {
      fn: "normalizeRows",
      args: [at(node.inputs[0]), at(node), own, N, f32(ops.attrsOf(node, ops.normalize.spec).eps)],
      items: sizeOf(node.shape.slice(0, -1)),
      grain: grainOf(N / 2 + 20),
    };
    return { calls: [call], threadSpace: MOMENTS };
  },
};
