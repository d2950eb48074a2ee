import { invariant } from "../../../core/errors.ts";
import * as ops from "../../../core/ops/mod.ts";
import { joinAxes } from "../../../core/tensor/axes.ts";
import { sizeOf, stridesOf } from "../../../core/tensor/shape.ts";
import { at, grainOf, type Lowering } from "../kernel.ts";

/** Outer axes that the kernels take. */
const OUTER = 4;
/** Rows of a matrix that one item moves; as in assembly/transpose.ts. */
const TILE = 16;

export const transpose: Lowering = {
  op: "transpose",
  plan(node) {
    const [x] = node.inputs;
    const { permutation } = ops.attrsOf(node, ops.transpose.spec);
    const from = stridesOf(x.shape);
    const joined = joinAxes(node.shape, [permutation.map((axis) => from[axis]), stridesOf(node.shape)]);
    // Axes of the result, outermost first, with their strides in x and in y.
    const axes = joined.map(({ size, strides: [x, y] }) => ({ size, x, y }));
    const last = axes.pop() ?? { size: 1, x: 0, y: 0 };
    const elements = sizeOf(node.shape);
    const nanoseconds = 0.8;

    if (last.x <= 1) {
      // The innermost axis stays: rows are copied.
      const outer = filled(axes);
      const args = [
        at(x),
        at(node),
        last.size,
        ...outer.slice(1).map(({ size }) => size),
        ...outer.map((axis) => axis.x),
      ];
      const items = elements / last.size;
      return {
        calls: [{ fn: "permuteRows", args, items, grain: grainOf(nanoseconds * last.size + 10) }],
      };
    }
    // The axis that is innermost in x becomes the rows.
    const row = axes.findIndex((axis) => axis.x === 1);
    invariant(row >= 0, "a transposed tensor has no contiguous axis");
    const [q] = axes.splice(row, 1);
    const outer = filled(axes);
    const args = [
      at(x),
      at(node),
      last.size,
      q.size,
      last.x,
      q.y,
      ...outer.slice(1).map(({ size }) => size),
      ...outer.map((axis) => axis.x),
      ...outer.map((axis) => axis.y),
    ];
    const items = sizeOf(outer.map(({ size }) => size)) * Math.ceil(q.size / TILE);
    const perItem = nanoseconds * last.size * Math.min(TILE, q.size) + 10;
    return { calls: [{ fn: "permuteMatrices", args, items, grain: grainOf(perItem) }] };
  },
};

type Axis = { size: number; x: number; y: number };

/** As many outer axes as the kernels take. */
function filled(axes: readonly Axis[]): Axis[] {
  invariant(axes.length <= OUTER, `a transpose of ${axes.length + 2} separate axes`);
  const none = { size: 1, x: 0, y: 0 };
  return [...Array<Axis>(OUTER - axes.length).fill(none), ...axes];
}
