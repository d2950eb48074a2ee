import { attentionGradPlaces } from "../../../core/ops/attentionGrad.ts";
import * as ops from "../../../core/ops/mod.ts";
import { at, type Call, f32, grainOf, type Lowering, own, temp } from "../kernel.ts";

/** Queries computed at a time: their scores and slopes at 1024 keys take 384 KB, and dk and dv are added to once for them. */
const BLOCK = 48;

/** Independent items to aim for; queries are cut into parts, summed by further calls, where matrices give fewer. */
const ITEMS = 16;

export const attentionGrad: Lowering = {
  op: "attentionGrad",
  plan(node) {
    const [q, k, v, o, dy] = node.inputs;
    const [B, N, D] = q.shape;
    const [, M, E] = v.shape;
    const places = attentionGradPlaces(q.shape, v.shape);
    const blocks = Math.ceil(N / BLOCK);
    const perItem = Math.ceil(blocks / Math.min(blocks, Math.ceil(ITEMS / B))) * BLOCK;
    const parts = Math.ceil(N / perItem);
    const isWhole = parts === 1;
    const call: Call = {
      fn: "attentionGrad",
      args: [
        at(q),
        at(k),
        at(v),
        at(o),
        at(dy),
        at(node),
        ...(isWhole ? [at(node, places.dk), at(node, places.dv)] : [temp(0), temp(1)]),
        own,
        N,
        M,
        D,
        E,
        f32(ops.attrsOf(node, ops.attentionGrad.spec).scale),
        parts,
        perItem,
        BLOCK,
      ],
      items: B * parts,
      grain: grainOf((Math.min(N, perItem) * M * (3 * D + 2 * E + 40)) / 15 + 100),
    };
    const sumOf = (source: number, offset: number, size: number): Call => ({
      fn: "sumColumns",
      args: [temp(source), at(node, offset), parts, size, parts],
      items: B,
      grain: grainOf((size * parts) / 4),
    });
    const sums = [sumOf(0, places.dk, M * D), sumOf(1, places.dv, M * E)];
    const [mPanels, dPanels, ePanels] = [M, D, E].map((size) => Math.ceil(size / 8));
    return {
      calls: isWhole ? [call] : [call, ...sums],
      temps: isWhole ? [] : [B * parts * M * D, B * parts * M * E],
      threadSpace: 8 * (mPanels * (D + E) + dPanels * M + BLOCK * (2 * mPanels + dPanels + ePanels) + 1),
    };
  },
};
