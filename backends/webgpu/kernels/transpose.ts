import { invariant } from "../../../core/errors.ts";
import * as ops from "../../../core/ops/mod.ts";
import { joinAxes } from "../../../core/tensor/axes.ts";
import { stridesOf } from "../../../core/tensor/shape.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import type { Lowering } from "../kernel.ts";
import { perElement } from "./perElement.ts";

const MAX_RANK = 8;

/** See wgsl/transpose.wgsl. */
export const transpose: Lowering = {
  op: "transpose",
  variants: [
    perElement(
      "transpose",
      (node) => {
        const axes = axesOf(node);
        invariant(axes.length <= MAX_RANK, `transpose moves ${axes.length} axes`);
        return {
          RANK: axes.length,
          PER_LANE: elementsPerLane(node),
          SIZES: axes.map(({ size }) => size),
          STRIDES: axes.map(({ stride }) => stride),
        };
      },
      (count, node) => count / elementsPerLane(node),
    ),
  ],
};

/** The output's axes, innermost first, with neighbours joined that stay neighbours in the input. */
function axesOf(node: Tensor): { size: number; stride: number }[] {
  const strides = stridesOf(node.inputs[0].shape);
  const { permutation } = ops.attrsOf(node, ops.transpose.spec);
  const moved = permutation.map((axis) => strides[axis]);
  const joined = joinAxes(node.shape, [moved]).reverse();
  return joined.map(({ size, strides: [stride] }) => ({ size, stride }));
}

/** The most, up to 8, that divide the innermost axis. */
function elementsPerLane(node: Tensor): number {
  const inner = axesOf(node)[0]?.size ?? 1;
  return [8, 7, 6, 5, 4, 3, 2].find((count) => inner % count === 0) ?? 1;
}
