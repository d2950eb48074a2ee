import * as ops from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import { at, grainOf, type Lowering, own } from "../kernel.ts";

/** Elements of one item: four Philox blocks, as in assembly/random.ts. */
const PER_ITEM = 16;

export const random: Lowering = {
  op: "random",
  plan(node) {
    const { distribution, stream } = ops.attrsOf(node, ops.random.spec);
    const normal = distribution === "normal";
    const [count, width] = [sizeOf(node.shape), sizeOf(node.shape.slice(1))];
    const args = [at(node.inputs[0]), at(node.inputs[1]), at(node), count, width, stream, own];
    const fn = normal ? "randomNormal" : "randomUniform";
    // The first block may begin up to three elements before the first row.
    const items = Math.ceil((count + 3) / PER_ITEM);
    return {
      calls: [{ fn, args, items, grain: grainOf(normal ? 70 : 40) }],
      threadSpace: PER_ITEM,
    };
  },
};
