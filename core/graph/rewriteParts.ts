import { concat } from "../ops/concat.ts";
import { pad } from "../ops/pad.ts";
import { reshape } from "../ops/reshape.ts";
import { slice } from "../ops/slice.ts";
import { view } from "../ops/view.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { alignmentOf } from "./alignment.ts";

/** A slice that is one run of x, at a place where kernels can start to read: no copy, only a view of it. */
export function sliceAsView(node: Tensor, x: Tensor): Tensor | undefined {
  const { axis, start } = node.attrs as { axis: number; start: number };
  const offset = start * sizeOf(x.shape.slice(axis + 1));
  if (
    node.op !== slice.spec ||
    sizeOf(x.shape.slice(0, axis)) !== 1 ||
    offset % alignmentOf(x.storage)
  )
    return undefined;
  return view(reshape(x, [sizeOf(x.shape)]), { offset, shape: node.shape });
}

/**
 * The sum of two padded tensors that lie side by side: one after the other, padded by what is left. So the gradients of
 * the parts of a split come together without zeros being written and added.
 */
export function joinedPads(a: Tensor, b: Tensor): Tensor | undefined {
  if (a.op !== pad.spec || b.op !== pad.spec || a.attrs.axis !== b.attrs.axis) return undefined;
  const [first, second] = (a.attrs.before as number) < (b.attrs.before as number) ? [a, b] : [b, a];
  const axis = first.attrs.axis as number;
  const [x, y] = [first.inputs[0], second.inputs[0]];
  const before = first.attrs.before as number;
  if (before + x.shape[axis] !== second.attrs.before || a.shape[axis] !== b.shape[axis])
    return undefined;
  return pad(concat([x, y], axis), { axis, before, after: second.attrs.after as number });
}
