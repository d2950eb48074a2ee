import { sizeOf } from "../../../core/tensor/shape.ts";
import { at, grainOf, type Lowering, own } from "../kernel.ts";

export const softmax: Lowering = {
  op: "softmax",
  plan(node) {
    const N = node.shape.at(-1)!;
    const call = {
      fn: "softmaxRows",
      args: [at(node.inputs[0]), at(node), own, N],
      items: sizeOf(node.shape.slice(0, -1)),
      grain: grainOf(2 * N + 20),
    };
    return { calls: [call], threadSpace: 8 };
  },
};
