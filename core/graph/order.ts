import { invariant } from "../errors.ts";
import { pack } from "../ops/pack.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { rootOf } from "./views.ts";

/** A unit of work with what its place in the order depends on. */
export interface Orderable {
  readonly nodes: readonly Tensor[];
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly dependsOn: ReadonlySet<Orderable>;
  readonly users: ReadonlySet<Orderable>;
}

/**
 * Units in an order in which they can run, such that few values live at the same time. Two orders are tried, and the
 * better one taken: depth first from the roots, which suits trees of reductions, and as they were traced, which computes
 * the gradient of a weight as soon as it can and repeats a block just before its gradient.
 * @param roots what the caller reads, views taken off
 * @param position place of each node in the trace
 */
export function inRunOrder<T extends Orderable>(
  units: readonly T[],
  roots: readonly Tensor[],
  makerOf: (root: Tensor) => T | undefined,
  position: ReadonlyMap<Tensor, number>,
): T[] {
  const kept = new Set(roots);
  const orders = [depthFirst(roots.map(makerOf)), asTraced(units, position)];
  const peaks = orders.map((order) => peakOf(order, kept));
  const best = orders[peaks.indexOf(Math.min(...peaks))];
  invariant(best.length === units.length, "ordering lost or repeated a unit");
  return best;
}

/** The most elements of computed values that live at the same time. Values that are kept or packed do not count: they have
 * places of their own. */
export function peakOf(order: readonly Orderable[], kept: ReadonlySet<Tensor>): number {
  const lastRead = new Map<Tensor, number>();
  const placed = new Set(kept);
  order.forEach(({ nodes, inputs }, at) => {
    for (const input of inputs) {
      const { root } = rootOf(input);
      lastRead.set(root, at);
      if (nodes[0].op === pack.spec) placed.add(root);
    }
  });
  const change = new Array<number>(order.length + 1).fill(0);
  order.forEach(({ outputs }, at) => {
    for (const value of outputs) {
      if (placed.has(value)) continue;
      const elements = sizeOf(value.shape);
      change[at] += elements;
      change[Math.max(at, lastRead.get(value) ?? at) + 1] -= elements;
    }
  });
  let [live, peak] = [0, 0];
  for (const elements of change) {
    live += elements;
    peak = Math.max(peak, live);
  }
  return peak;
}

function depthFirst<T extends Orderable>(roots: readonly (T | undefined)[]): T[] {
  const order: T[] = [];
  const done = new Set<T>();
  const open = new Set<T>();
  for (const root of roots) {
    if (!root || done.has(root)) continue;
    const stack = [{ unit: root, waiting: [...root.dependsOn] as T[] }];
    done.add(root);
    open.add(root);
    while (stack.length) {
      const top = stack[stack.length - 1];
      const next = top.waiting.shift();
      invariant(!next || !open.has(next), "fusion closed a cycle");
      if (!next) {
        order.push(top.unit);
        open.delete(top.unit);
        stack.pop();
      } else if (!done.has(next)) {
        done.add(next);
        open.add(next);
        stack.push({ unit: next, waiting: [...next.dependsOn] as T[] });
      }
    }
  }
  return order;
}

/** Of the units that can run, always the one whose last node was traced first. */
function asTraced<T extends Orderable>(units: readonly T[], position: ReadonlyMap<Tensor, number>): T[] {
  const traced = new Map<Orderable, number>();
  /** What only puts results in their places is done at once: it needs no room, and what it reads may be needed no more. */
  const isAtOnce = ({ nodes: [node], users, dependsOn }: T) =>
    dependsOn.size > 0 && (node.op === pack.spec || users.size === 0);
  const tracedAt = (unit: T): number => {
    let at = traced.get(unit);
    if (at === undefined) {
      const before = isAtOnce(unit) ? [...(unit.dependsOn as ReadonlySet<T>)].map(tracedAt) : [];
      at = before.length > 0 ? Math.max(...before) : Math.max(...unit.nodes.map((node) => position.get(node)!));
      traced.set(unit, at);
    }
    return at;
  };
  units.forEach(tracedAt);
  const missing = new Map<Orderable, number>(units.map((unit) => [unit, unit.dependsOn.size]));
  const later = (a: T, b: T) => traced.get(b)! - traced.get(a)!;
  // Sorted, the first at the end.
  const ready = units.filter((unit) => unit.dependsOn.size === 0).sort(later);
  const order: T[] = [];
  for (let unit = ready.pop(); unit; unit = ready.pop()) {
    order.push(unit);
    for (const user of unit.users as ReadonlySet<T>) {
      missing.set(user, missing.get(user)! - 1);
      if (missing.get(user)! > 0) continue;
      let [low, high] = [0, ready.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (later(ready[middle], user) < 0) low = middle + 1;
        else high = middle;
      }
      ready.splice(low, 0, user);
    }
  }
  return order;
}
