import { failure } from "../errors.ts";
import { axisAt, broadcastStrides, formatShape, type Shape } from "../tensor/shape.ts";
import type { AttributeKinds } from "./call.ts";

/** Which axes a reduction runs over: all when absent. `keepDims` leaves them with size 1. */
export interface ReduceOptions {
  readonly axes?: readonly number[];
  readonly keepDims?: boolean;
}

/** The kinds of `ReduceOptions`. */
export const reduceKinds: AttributeKinds<ReduceOptions> = { "axes?": "number[]", "keepDims?": "boolean" };

/**
 * The axes as sorted numbers 0…rank-1.
 * @throws ShapeError when one is out of range.
 */
export function reducedAxes(op: string, shape: Shape, axes?: readonly number[]): number[] {
  if (!axes) return shape.map((_, axis) => axis);
  const found = axes.map((axis) => {
    const at = axisAt(axis, shape.length);
    if (at === undefined)
      throw failure("E_SHAPE", `Cannot apply ${op} to x ${formatShape(shape)}: it has no axis ${axis}`);
    return at;
  });
  return [...new Set(found)].sort((a, b) => a - b);
}

export const keptShape = (shape: Shape, axes: readonly number[]): Shape =>
  shape.map((size, axis) => (axes.includes(axis) ? 1 : size));

export const droppedShape = (shape: Shape, axes: readonly number[]): Shape =>
  shape.filter((_, axis) => !axes.includes(axis));

/** Visits every input element i with the output element j it is reduced into, in row-major order. */
export function forEachReduced(from: Shape, to: Shape, visit: (i: number, j: number) => void): void {
  const strides = broadcastStrides(to, from);
  const at = new Array<number>(from.length).fill(0);
  const count = from.reduce((product, size) => product * size, 1);
  let j = 0;
  for (let i = 0; i < count; i++) {
    visit(i, j);
    for (let axis = from.length - 1; axis >= 0; axis--) {
      at[axis]++;
      j += strides[axis];
      if (at[axis] < from[axis]) break;
      j -= strides[axis] * from[axis];
      at[axis] = 0;
    }
  }
}
