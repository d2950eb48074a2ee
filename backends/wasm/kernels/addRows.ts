import { at, grainOf, type Lowering } from "../kernel.ts";

/** Columns that one item adds up: a cache line, so that threads never write to one line. */
const TILE = 16;

export const addRows: Lowering = {
  op: "addRows",
  plan(node) {
    const [x, index] = node.inputs;
    const [M, D] = x.shape;
    const [V] = node.shape;
    const args = [at(x), at(index), at(node), M, D, V, TILE];
    const grain = grainOf(4 * M + 2 * V);
    return { calls: [{ fn: "addRows", args, items: Math.ceil(D / TILE), grain }] };
  },
};
