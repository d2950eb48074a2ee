import { sizeOf, stridesOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./add.ts";
import { mul } from "./mul.ts";
import { shapeFailure } from "./op.ts";
import { reducedAxes } from "./reduction.ts";
import { reshape } from "./reshape.ts";
import { constantArray } from "./sources.ts";

/**
 * Positions i32 [size of index] in the flattened x of the elements x[i, …, index[i, …, k], …, k]: the index chooses along
 * `axis`, and its own position along the others. On those it may be shorter than x.
 */
export function flatIndex(op: string, x: Tensor, index: Tensor, axis: number): Tensor {
  const [at] = reducedAxes(op, x.shape, [axis]);
  const fits = index.shape.length === x.shape.length && index.shape.every((size, i) => i === at || size <= x.shape[i]);
  if (!fits)
    throw shapeFailure(
      op,
      { x: x.shape, index: index.shape },
      `index must have the axes of x, none but axis ${at} longer`,
    );
  const strides = stridesOf(x.shape);
  const own = stridesOf(index.shape);
  const base = Int32Array.from({ length: sizeOf(index.shape) }, (_, flat) =>
    index.shape.reduce((sum, size, i) => sum + (i === at ? 0 : (Math.floor(flat / own[i]) % size) * strides[i]), 0),
  );
  const chosen = mul(reshape(index, [base.length]), strides[at]);
  return add(chosen, constantArray(base, [base.length], "i32"));
}
