import { at, grainOf, type Lowering } from "../kernel.ts";
import { kindOf } from "../widening.ts";

export const takeRows: Lowering = {
  op: "takeRows",
  plan(node) {
    const [table, index] = node.inputs;
    const [V, D] = table.shape;
    const args = [at(table), at(index), at(node), V, D, kindOf(table)];
    const [M] = index.shape;
    return { calls: [{ fn: "takeRows", args, items: M, grain: grainOf(0.5 * D + 5) }], halves: [table] };
  },
};
