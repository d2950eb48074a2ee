import type { Tensor } from "../tensor/tensor.ts";
import { fuse } from "./fuse.ts";
import { type Plan, planMemory } from "./plan.ts";
import { simplify } from "./simplify.ts";
import { inTraceOrder } from "./traverse.ts";

/** What a program computes from its inputs and states, as traced. */
export interface ProgramDefinition {
  /** For labels, the profiler and error messages. */
  readonly name: string;
  /** Values the caller can read after a run. */
  readonly outputs?: Readonly<Record<string, Tensor>>;
  /** New values of states: pairs of a `state` node and what it becomes. All are computed from the old values. */
  readonly updates?: readonly (readonly [state: Tensor, value: Tensor])[];
}

/** A traced, simplified, fused and planned computation, ready for any backend to compile. */
export interface Program {
  readonly name: string;
  readonly outputs: ReadonlyMap<string, Tensor>;
  readonly updates: ReadonlyMap<Tensor, Tensor>;
  /** Every node, inputs before users. */
  readonly nodes: readonly Tensor[];
  readonly plan: Plan;
}

/** Most storage buffers a kernel may bind: what every WebGPU device grants. */
const MAX_STORAGE_BUFFERS = 8;

/** Simplifies, fuses and plans the nodes that ops have traced. */
export function program({ name, outputs = {}, updates = [] }: ProgramDefinition): Program {
  const roots = simplify([
    ...Object.values(outputs),
    ...updates.map(([, value]) => value),
    ...updates.map(([state]) => state),
  ]);
  const names = Object.keys(outputs);
  const values = roots.slice(names.length, names.length + updates.length);
  const states = roots.slice(names.length + updates.length);
  const outputMap = new Map(names.map((key, i) => [key, roots[i]]));
  const updateMap = new Map(states.map((state, i) => [state, values[i]]));
  const nodes = inTraceOrder(roots);
  const units = fuse(
    nodes,
    new Set([...outputMap.values(), ...values].map(behindViews)),
    MAX_STORAGE_BUFFERS,
    updateMap,
  );
  return {
    name,
    outputs: outputMap,
    updates: updateMap,
    nodes,
    plan: planMemory(units, outputMap, updateMap),
  };
}

const behindViews = (tensor: Tensor): Tensor => {
  let root = tensor;
  while (root.op.kind === "view") root = root.inputs[0];
  return root;
};
