import * as ops from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import { at, f32, grainOf, type Lowering, own } from "../kernel.ts";
import { MOMENTS } from "./normalize.ts";

export const normalizeGrad: Lowering = {
  op: "normalizeGrad",
  plan(node) {
    const [x, dy] = node.inputs;
    const N = node.shape.at(-1)!;
    const call = {
      fn: "normalizeGradRows",
      args: [at(x), at(dy), at(node), own, N, f32(ops.attrsOf(node, ops.normalizeGrad.spec).eps)],
      items: sizeOf(node.shape.slice(0, -1)),
      grain: grainOf(N + 20),
    };
    return { calls: [call], threadSpace: MOMENTS };
  },
};
