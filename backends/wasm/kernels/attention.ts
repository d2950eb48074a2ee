import * as ops from "../../../core/ops/mod.ts";
import { broadcastAxes } from "../../../core/tensor/axes.ts";
import type { Shape } from "../../../core/tensor/shape.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { at, f32, grainOf, type Lowering, own } from "../kernel.ts";
import { batchParts } from "./batchParts.ts";

/** Queries of an item: enough to pay for packing keys and values, few enough to share a long sequence. */
const QUERIES = 128;

export const attention: Lowering = {
  op: "attention",
  plan(node) {
    const [q, k, v] = node.inputs;
    const [N, D] = q.shape.slice(-2);
    const [M, E] = v.shape.slice(-2);
    const batchOf = ({ shape }: Tensor): Shape => shape.slice(0, -2);
    const axes = broadcastAxes(batchOf(node), [q, k, v].map(batchOf));
    const [qSize, kSize, vSize] = [N * D, M * D, M * E];
    const calls = batchParts(axes, 3).map(({ count, inner, strides, offsets, first }) => ({
      fn: "attention",
      args: [
        at(q, offsets[0] * qSize),
        at(k, offsets[1] * kSize),
        at(v, offsets[2] * vSize),
        at(node, first * N * E),
        own,
        N,
        M,
        D,
        E,
        f32(ops.attrsOf(node, ops.attention.spec).scale),
        QUERIES,
        inner,
        strides[0].outer * qSize,
        strides[0].inner * qSize,
        strides[1].outer * kSize,
        strides[1].inner * kSize,
        strides[2].outer * vSize,
        strides[2].inner * vSize,
      ],
      items: count * Math.ceil(N / QUERIES),
      grain: grainOf((Math.min(N, QUERIES) * M * (D + E + 30)) / 15 + 100),
    }));
    const mPanels = Math.ceil(M / 8);
    return {
      calls,
      threadSpace: mPanels * 8 * D + Math.ceil(E / 8) * 8 * M + 6 * (mPanels * 8 + 1) + 8,
    };
  },
};
