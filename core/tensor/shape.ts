/** Sizes of a tensor's axes, outermost first; row-major, always contiguous. `[]` is a scalar. */
export type Shape = readonly number[];

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  let product = 1;
  for (const size of shape) product *= size;
  return product;
}

/** Whether two shapes are the same, dimension by dimension. */
export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((size, axis) => size === b[axis]);

/** A shape as messages write it: `[2, 3]`. */
export const formatShape = (shape: Shape): string => `[${shape.join(", ")}]`;

/** Elements between neighbours along each axis, for a contiguous tensor. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** Strides that read `shape` as if it had the larger `target` shape: 0 along every broadcast axis. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const own = stridesOf(shape);
  const missing = target.length - shape.length;
  return target.map((_, axis) => {
    const from = axis - missing;
    return from < 0 || shape[from] === 1 ? 0 : own[from];
  });
}

/** The common shape of NumPy-style broadcasting, or undefined when two axes disagree. */
export function broadcastShapes(...shapes: Shape[]): Shape | undefined {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const out = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    for (let axis = 0; axis < shape.length; axis++) {
      const at = axis + rank - shape.length;
      if (shape[axis] === 1) continue;
      if (out[at] !== 1 && out[at] !== shape[axis]) return undefined;
      out[at] = shape[axis];
    }
  }
  return out;
}

/** Turns -rank…rank-1 into 0…rank-1, or undefined when out of range. */
export const axisAt = (axis: number, rank: number): number | undefined =>
  Number.isInteger(axis) && axis >= -rank && axis < rank ? (axis + rank) % rank : undefined;
