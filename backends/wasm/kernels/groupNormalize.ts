import * as ops from "../../../core/ops/mod.ts";
import { at, f32, grainOf, type Lowering, own } from "../kernel.ts";
import { MOMENTS } from "./normalize.ts";

/** Elements of own space for each channel of a group: its numbers, and three times the end of its elements. */
export const CHANNEL = 6 + 3 * 8;

export const groupNormalize: Lowering = {
  op: "groupNormalize",
  plan(node) {
    const [x, scale, shift] = node.inputs;
    const [B, G, K, S] = x.shape;
    const { eps, activation } = ops.attrsOf(node, ops.groupNormalize.spec);
    const call = {
      fn: "groupNormalizeRows",
      args: [
        at(x),
        at(scale),
        at(shift),
        at(node),
        own,
        K,
        S,
        scale.shape[0] * G,
        f32(eps),
        Number(activation === "silu"),
      ],
      items: B * G,
      grain: grainOf(K * S * 0.7 + 40),
    };
    return { calls: [call], threadSpace: MOMENTS + CHANNEL * K };
  },
};
