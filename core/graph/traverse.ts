import type { Tensor } from "../tensor/tensor.ts";

/**
 * All nodes that `roots` depend on, themselves included, inputs before users; only those with number `first` or a higher one.
 * Deterministic.
 */
export function topologicalOrder(roots: Iterable<Tensor>, first = 0): Tensor[] {
  const order: Tensor[] = [];
  const done = new Set<Tensor>();
  // An explicit stack: the graph of a training step is deeper than the call stack allows.
  const stack: { node: Tensor; next: number }[] = [];
  for (const root of roots) {
    if (done.has(root) || root.id < first) continue;
    stack.push({ node: root, next: 0 });
    while (stack.length) {
      const top = stack[stack.length - 1];
      if (top.next < top.node.inputs.length) {
        const child = top.node.inputs[top.next++];
        if (!done.has(child) && child.id >= first) stack.push({ node: child, next: 0 });
      } else {
        stack.pop();
        if (!done.has(top.node)) {
          done.add(top.node);
          order.push(top.node);
        }
      }
    }
  }
  return order;
}

/** The same nodes in the order in which they were made, which also has inputs before users. */
export const inTraceOrder = (roots: Iterable<Tensor>): Tensor[] => topologicalOrder(roots).sort((a, b) => a.id - b.id);
