import { pack } from "../ops/pack.ts";
import { nameOf, sources, uniformOf } from "../ops/sources.ts";
import { sameShape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { inRunOrder } from "./order.ts";
import { gatesOf, readersOf, rootOf } from "./views.ts";

/** One piece of device work: a single kernel op, or a chain of elementwise ops over one shape. */
export interface Unit {
  /** In an order in which they can be computed. One node unless elementwise. */
  readonly nodes: Tensor[];
  readonly elementwise: boolean;
  /** Values read that other units or sources make; may be views. Constants that are one number everywhere are not listed. */
  inputs: Tensor[];
  /** Values that others, or the caller, read. */
  outputs: Tensor[];
}

interface Group extends Unit {
  readonly dependsOn: Set<Group>;
  /** Groups that depend on this one. */
  readonly users: Set<Group>;
  /** Position of its first node. */
  readonly first: number;
  /** Position of the last node among its own and those of all groups it depends on, however indirectly. */
  latest: number;
}

/**
 * Cuts a graph into units. Elementwise nodes of one shape are joined while no cycle arises and the joined kernel reads
 * and writes at most `maxBuffers` different buffers; a state and the new value that can be written over it are one.
 * @param order all nodes, inputs before users
 * @param roots what the caller reads, views taken off
 * @param updates states and their new values
 */
export function fuse(
  order: readonly Tensor[],
  roots: ReadonlySet<Tensor>,
  maxBuffers: number,
  updates: ReadonlyMap<Tensor, Tensor> = new Map(),
): Unit[] {
  const readers = readersOf(order);
  const groupOf = new Map<Tensor, Group>();
  const position = new Map(order.map((node, index) => [node, index]));
  const isSafe = overwriteRule(order, roots, updates, readers);

  const boundary = (nodes: readonly Tensor[]) => {
    const own = new Set(nodes);
    const inputs = new Set<Tensor>();
    for (const node of nodes)
      for (const input of node.inputs)
        if (!own.has(rootOf(input).root) && uniformOf(input) === undefined) inputs.add(input);
    const outputs = nodes.filter(
      (node) => roots.has(node) || (readers.get(node) ?? []).some((reader) => !own.has(reader)),
    );
    return { inputs: [...inputs], outputs };
  };
  const fits = (nodes: readonly Tensor[], parts: readonly Group[]): boolean => {
    const { inputs, outputs } = boundary(nodes);
    const read = new Set(inputs.map((input) => rootOf(input).root));
    const excess = read.size + outputs.length - maxBuffers;
    if (excess <= 0) return true;
    const before = ancestorsOf(parts);
    const done = (reader: Tensor) => before.has(groupOf.get(reader)!);
    return outputs.filter((output) => isSafe(output, read, new Set(nodes), done)).length >= excess;
  };

  /** Joins a node's group with those of its inputs, where that may be. */
  const joinInputs = (node: Tensor): void => {
    for (const input of node.inputs) {
      const [group, other] = [groupOf.get(node)!, groupOf.get(input)];
      if (!other?.elementwise || other === group || !sameShape(other.nodes[0].shape, node.shape)) continue;
      if (reaches(group, other) || reaches(other, group)) continue;
      const nodes = [...other.nodes, ...group.nodes].sort((a, b) => position.get(a)! - position.get(b)!);
      if (readsPartOfItself(nodes) || !fits(nodes, [other, group])) continue;
      merge(nodes, other, group, groupOf);
    }
  };

  for (const node of order) {
    if (node.op.kind === "source" || node.op.kind === "view") continue;
    const at = position.get(node)!;
    const elementwise = node.op.kind === "elementwise";
    const group: Group = {
      nodes: [node],
      elementwise,
      inputs: [],
      outputs: [],
      dependsOn: new Set(),
      users: new Set(),
      first: at,
      latest: at,
    };
    const dependencies = node.inputs.flatMap((input) => [rootOf(input).root, ...gatesOf(input)]);
    for (const value of dependencies) {
      const maker = groupOf.get(value);
      if (maker) {
        group.dependsOn.add(maker);
        maker.users.add(group);
      }
    }
    groupOf.set(node, group);
    if (elementwise) joinInputs(node);
  }
  // Values that were in the way while their readers were still apart may not be any more.
  for (const node of order) if (node.op.kind === "elementwise") joinInputs(node);

  const groups = [...new Set(groupOf.values())];
  for (const group of groups) Object.assign(group, boundary(group.nodes));
  return inRunOrder(groups, [...roots], (root) => groupOf.get(root), position);
}

/**
 * Tells whether a unit may write the new value of a state over the old one, by the same rule as the memory plan: all other
 * readers of the old value have run before (`done`), and the unit itself reads it element by element.
 */
function overwriteRule(
  order: readonly Tensor[],
  roots: ReadonlySet<Tensor>,
  updates: ReadonlyMap<Tensor, Tensor>,
  readers: ReadonlyMap<Tensor, readonly Tensor[]>,
) {
  const stateOf = new Map<Tensor, Tensor>();
  for (const [state, value] of updates) {
    const { root, offset } = rootOf(value);
    const whole = offset === 0 && sizeOf(root.shape) === sizeOf(state.shape);
    const fits = whole && root.storage === state.storage;
    if (fits && root.op !== pack.spec && !stateOf.has(root)) stateOf.set(root, state);
  }
  return (
    output: Tensor,
    read: ReadonlySet<Tensor>,
    own: ReadonlySet<Tensor>,
    done: (reader: Tensor) => boolean,
  ): boolean => {
    const state = stateOf.get(output);
    if (!state || !read.has(state)) return false;
    const twins = order.filter((node) => node.op === sources.state && nameOf(node) === nameOf(state));
    const matches = (node: Tensor) =>
      node.inputs.every((input) => !twins.includes(rootOf(input).root) || sizeOf(input.shape) === sizeOf(node.shape));
    return twins.every(
      (twin) =>
        !roots.has(twin) && (readers.get(twin) ?? []).every((node) => (own.has(node) ? matches(node) : done(node))),
    );
  };
}

/** A kernel can't read, through a view, elements of its own results other than the current one. */
function readsPartOfItself(nodes: readonly Tensor[]): boolean {
  const own = new Set(nodes);
  return nodes.some((node) =>
    node.inputs.some((input) => {
      const { root, offset } = rootOf(input);
      return own.has(root) && (offset !== 0 || sizeOf(input.shape) !== sizeOf(root.shape));
    }),
  );
}

/** Joins two groups; `b` holds the node that was looked at last. */
function merge(nodes: Tensor[], a: Group, b: Group, groupOf: Map<Tensor, Group>): void {
  const merged: Group = {
    nodes,
    elementwise: true,
    inputs: [],
    outputs: [],
    dependsOn: new Set([...a.dependsOn, ...b.dependsOn]),
    users: new Set([...a.users, ...b.users]),
    first: Math.min(a.first, b.first),
    latest: Math.max(a.latest, b.latest),
  };
  for (const side of [merged.dependsOn, merged.users]) for (const part of [a, b]) side.delete(part);
  for (const node of nodes) groupOf.set(node, merged);
  for (const user of merged.users) replace(user.dependsOn, a, b, merged);
  for (const maker of merged.dependsOn) replace(maker.users, a, b, merged);
  const stack = [merged];
  while (stack.length)
    for (const user of stack.pop()!.users)
      if (user.latest < merged.latest) {
        user.latest = merged.latest;
        stack.push(user);
      }
}

function replace(set: Set<Group>, a: Group, b: Group, merged: Group): void {
  set.delete(a);
  set.delete(b);
  set.add(merged);
}

/** Whether `from` depends on `to` through a third group, so that joining them would close a cycle. */
function reaches(from: Group, to: Group): boolean {
  const seen = new Set<Group>([from]);
  const stack = [...from.dependsOn].filter((group) => group !== to);
  while (stack.length) {
    const group = stack.pop()!;
    if (group === to) return true;
    // A group can't depend on what comes after all that it depends on.
    if (seen.has(group) || group.latest < to.first) continue;
    seen.add(group);
    stack.push(...group.dependsOn);
  }
  return false;
}

function ancestorsOf(groups: readonly Group[]): Set<Group> {
  const found = new Set<Group>();
  const stack = [...groups];
  while (stack.length)
    for (const group of stack.pop()!.dependsOn)
      if (!found.has(group)) {
        found.add(group);
        stack.push(group);
      }
  return found;
}
