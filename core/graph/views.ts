import { attrsOf } from "../ops/op.ts";
import { view } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** The value behind views: what was computed, and the element at which the view starts. */
export function rootOf(tensor: Tensor): { root: Tensor; offset: number } {
  let [root, offset] = [tensor, 0];
  while (root.op.kind === "view") {
    if (root.op === view.spec) offset += attrsOf(root, view.spec).offset;
    root = root.inputs[0];
  }
  return { root, offset };
}

/** Values that must have been computed before a view may be read: the second inputs of `after` nodes. */
export function gatesOf(tensor: Tensor): Tensor[] {
  const gates: Tensor[] = [];
  for (let node = tensor; node.op.kind === "view"; node = node.inputs[0])
    for (const gate of node.inputs.slice(1)) gates.push(rootOf(gate).root);
  return gates;
}

/** The nodes that read each value, directly or through views. */
export function readersOf(order: readonly Tensor[]): Map<Tensor, Tensor[]> {
  const readers = new Map<Tensor, Tensor[]>();
  for (const node of order) {
    if (node.op.kind === "view") continue;
    for (const input of node.inputs) {
      const { root } = rootOf(input);
      const list = readers.get(root);
      if (list) list.push(node);
      else readers.set(root, [node]);
    }
  }
  return readers;
}
