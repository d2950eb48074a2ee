import { sizeOf } from "../tensor/shape.ts";
import type { Storage } from "../tensor/storage.ts";
import { createNode, type Tensor } from "../tensor/tensor.ts";

/**
 * The same value in another storage, for a value that a rule has just made, that is from node number `first` on. What was
 * there before stays as it is, since others read it; so does a value of which `x` is only a part.
 */
export function keptAs(storage: Storage, x: Tensor, first: number): Tensor {
  if (x.storage === storage || x.id < first || x.op.kind === "source") return x;
  if (x.op.kind !== "view") return createNode({ ...x, storage });
  const [viewed, ...gates] = x.inputs;
  if (sizeOf(viewed.shape) !== sizeOf(x.shape)) return x;
  const kept = keptAs(storage, viewed, first);
  return kept === viewed ? x : createNode({ ...x, inputs: [kept, ...gates] });
}
