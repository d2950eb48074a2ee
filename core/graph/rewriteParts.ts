import { concat } from "../ops/concat.ts";
import { attrsOf } from "../ops/op.ts";
import { pad } from "../ops/pad.ts";
import { reshape } from "../ops/reshape.ts";
import { slice } from "../ops/slice.ts";
import { view } from "../ops/view.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { alignmentOf } from "./alignment.ts";

/** A slice that is one run of x, at a place where kernels can start to read: no copy, only a view of it. */
export function sliceAsView(node: Tensor, x: Tensor): Tensor | undefined {
  const { axis, start } = attrsOf(node, slice.spec);
  const offset = start * sizeOf(x.shape.slice(axis + 1));
  if (sizeOf(x.shape.slice(0, axis)) !== 1 || offset % alignmentOf(x.storage)) return undefined;
  return view(reshape(x, [sizeOf(x.shape)]), { offset, shape: node.shape });
}

/**
 * The sum of two tensors padded with zeros that lie side by side: one after the other, padded by what is left. So the gradients of
 * the parts of a split come together without zeros being written and added.
 */
export function joinedPads(a: Tensor, b: Tensor): Tensor | undefined {
  if (a.op !== pad.spec || b.op !== pad.spec) return undefined;
  const padded = (node: Tensor) => ({ x: node.inputs[0], ...attrsOf(node, pad.spec) });
  const [first, second] = [padded(a), padded(b)].sort((p, q) => p.before - q.before);
  const { x, axis, before } = first;
  const joins = before + x.shape[axis] === second.before && a.shape[axis] === b.shape[axis];
  if (axis !== second.axis || !joins || first.value || second.value) return undefined;
  return pad(concat([x, second.x], axis), { axis, before, after: second.after });
}
