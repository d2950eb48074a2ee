import { invariant } from "../../../core/errors.ts";
import * as ops from "../../../core/ops/mod.ts";
import { type Shape, stridesOf } from "../../../core/tensor/shape.ts";
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

function axesOf(node: Tensor): Axis[] {
  const strides = stridesOf(node.inputs[0].shape);
  const { permutation } = ops.attrsOf(node, ops.transpose.spec);
  return joinedAxes(
    node.shape,
    permutation.map((axis) => strides[axis]),
  );
}

/** The most, up to 8, that divide the innermost axis. */
function elementsPerLane(node: Tensor): number {
  const inner = axesOf(node)[0]?.size ?? 1;
  return [8, 7, 6, 5, 4, 3, 2].find((count) => inner % count === 0) ?? 1;
}

interface Axis {
  size: number;
  stride: number;
}

/** The output's axes, innermost first, with neighbours joined that stay neighbours in the input. */
export function joinedAxes(shape: Shape, strides: readonly number[]): Axis[] {
  const axes: Axis[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const [size, stride] = [shape[axis], strides[axis]];
    if (size === 1) continue;
    const last = axes[axes.length - 1];
    if (last && stride === last.stride * last.size) last.size *= size;
    else axes.push({ size, stride });
  }
  return axes;
}
