import { broadcastStrides, type Shape } from "./shape.ts";

/** An axis along which operands move, `strides[i]` elements per step in operand i. */
export interface Axis {
  readonly size: number;
  readonly strides: readonly number[];
}

/**
 * The axes of a shape, outermost first, with neighbours joined that all operands step through as one. Axes of size 1 are
 * dropped, so there may be none left. The innermost stride of a contiguous operand that broadcasts is 1 or 0.
 * @param strides of each operand, one per axis of the shape
 */
export function joinAxes(shape: Shape, strides: readonly (readonly number[])[]): Axis[] {
  const axes: Axis[] = [];
  shape.forEach((size, axis) => {
    if (size === 1) return;
    const own = strides.map((operand) => operand[axis]);
    const outer = axes.at(-1);
    const joins = outer?.strides.every((stride, i) => stride === own[i] * size);
    if (outer && joins) axes[axes.length - 1] = { size: outer.size * size, strides: own };
    else axes.push({ size, strides: own });
  });
  return axes;
}

/** The joined axes of operands that broadcast to `shape`. */
export const broadcastAxes = (shape: Shape, operands: readonly Shape[]): Axis[] =>
  joinAxes(
    shape,
    operands.map((operand) => broadcastStrides(operand, shape)),
  );
