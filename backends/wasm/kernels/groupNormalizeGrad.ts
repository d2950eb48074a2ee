import { gradPlaces } from "../../../core/ops/groupNormalize.ts";
import * as ops from "../../../core/ops/mod.ts";
import { at, f32, grainOf, type Lowering, own } from "../kernel.ts";
import { CHANNEL } from "./groupNormalize.ts";
import { MOMENTS } from "./normalize.ts";

export const groupNormalizeGrad: Lowering = {
  op: "groupNormalizeGrad",
  plan(node) {
    const [x, scale, shift, dy] = node.inputs;
    const [B, G, K, S] = x.shape;
    const { eps, activation } = ops.attrsOf(node, ops.groupNormalizeGrad.spec);
    const { dScale, dShift } = gradPlaces(x.shape);
    const call = {
      fn: "groupNormalizeGradRows",
      args: [
        at(x),
        at(scale),
        at(shift),
        at(dy),
        at(node),
        at(node, dScale),
        at(node, dShift),
        own,
        K,
        S,
        scale.shape[0] * G,
        f32(eps),
        Number(activation === "silu"),
      ],
      items: B * G,
      grain: grainOf(K * S * 1.2 + 60),
    };
    return { calls: [call], threadSpace: MOMENTS + CHANNEL * K };
  },
};
