import { broadcastStrides, type Shape } from "../../../core/tensor/shape.ts";

/** A shape and how operands move along its axes, with axes joined where all operands step through them alike. */
export interface Axes {
  /** Outermost first; at least one. */
  readonly sizes: readonly number[];
  /** Of each operand, in elements, one per axis. */
  readonly strides: readonly (readonly number[])[];
}

/**
 * Joins neighbouring axes that all operands step through as one, and drops axes of size 1. The innermost stride of a
 * contiguous operand that broadcasts is then 1 or 0.
 */
export function joinAxes(shape: Shape, strides: readonly (readonly number[])[]): Axes {
  const kept: { size: number; strides: number[] }[] = [];
  shape.forEach((size, axis) => {
    if (size === 1) return;
    const own = strides.map((operand) => operand[axis]);
    const last = kept[kept.length - 1];
    if (last?.strides.every((stride, i) => stride === own[i] * size)) {
      last.size *= size;
      last.strides = own;
    } else kept.push({ size, strides: own });
  });
  if (!kept.length) kept.push({ size: 1, strides: strides.map(() => 0) });
  return {
    sizes: kept.map(({ size }) => size),
    strides: strides.map((_, i) => kept.map((axis) => axis.strides[i])),
  };
}

/** How operands of these shapes move when broadcast to `shape`; one more operand, the last, has the whole shape. */
export const broadcastAxes = (shape: Shape, operands: readonly Shape[]): Axes =>
  joinAxes(
    shape,
    [...operands, shape].map((operand) => broadcastStrides(operand, shape)),
  );
