import * as ops from "../../../core/ops/mod.ts";
import { at, f32, grainOf, type Lowering } from "../kernel.ts";

export const groupNormalize: Lowering = {
  op: "groupNormalize",
  plan(node) {
    const [x, scale, shift] = node.inputs;
    const [B, G, K, S] = x.shape;
    const { eps, activation } = ops.attrsOf(node, ops.groupNormalize.spec);
    const call = {
      fn: "groupNormalizeRows",
      args: [at(x), at(scale), at(shift), at(node), K, S, scale.shape[0] * G, f32(eps), Number(activation === "silu")],
      items: B * G,
      grain: grainOf(K * S * 2 + 20),
    };
    return { calls: [call] };
  },
};
