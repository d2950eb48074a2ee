import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./add.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { matmul } from "./matmul.ts";
import { shapeFailure } from "./op.ts";
import { reshape } from "./reshape.ts";

/** y = x·weightᵀ + bias. x [..., K], weight [N, K] as in PyTorch, bias [N] → [..., N]. */
export const linear: Composed<[x: Tensor, weight: Tensor, bias?: Tensor]> = defineComposed({
  name: "linear",
  parameters: ["x: Tensor", "weight: Tensor", "bias?: Tensor"],
  build: (x, weight, bias) => {
    const K = x.shape.at(-1);
    if (K === undefined || weight.shape.length !== 2 || weight.shape[1] !== K)
      throw shapeFailure(
        "linear",
        { x: x.shape, weight: weight.shape },
        weight.shape.length === 2
          ? `K is ${K ?? "missing"} in x but ${weight.shape[1]} in weight`
          : `weight has ${weight.shape.length} axes, expected [N K]`,
      );
    // One matrix of all rows: a batched product would have a gradient of the weight per batch, summed afterwards.
    const y = matmul(reshape(x, [-1, K]), weight, { transB: true });
    return reshape(bias ? add(y, bias) : y, [...x.shape.slice(0, -1), weight.shape[0]]);
  },
});
