import type { ElementwiseStep, Plan, Program, Step } from "../../core/graph/mod.ts";
import { rootOf, topologicalOrder } from "../../core/graph/mod.ts";
import { attrsOf, nameOf, sources, uniformOf } from "../../core/ops/mod.ts";
import { broadcastStrides, sizeOf, type Tensor } from "../../core/tensor/mod.ts";

/** Values of inputs and states by name. */
export type Values = Readonly<Record<string, Float64Array>>;

const elements = (node: Tensor): Float64Array => new Float64Array(sizeOf(node.shape));

function sourceValue(node: Tensor, values: Values): Float64Array {
  if (node.op !== sources.constant) return Float64Array.from(values[nameOf(node)]);
  const { data, value } = attrsOf(node, sources.constant);
  return data ? Float64Array.from(data) : elements(node).fill(value!);
}

/** Values of nodes, straight from every op's reference in float64: no pass of the compiler is involved. */
export function interpret(roots: readonly Tensor[], values: Values): Float64Array[] {
  const results = new Map<Tensor, Float64Array>();
  for (const node of topologicalOrder(roots)) {
    if (node.op.kind === "source") {
      results.set(node, sourceValue(node, values));
      continue;
    }
    const out = elements(node);
    const inputs = node.inputs.map((input) => results.get(input)!);
    node.op.reference!(node, inputs, out);
    results.set(node, out);
  }
  return roots.map((root) => results.get(root)!);
}

/**
 * Executes the steps of a plan on its own buffers, as a device would: whatever a step reads comes from the place the plan
 * gives it, and elementwise steps go element by element. What nobody has written is NaN.
 * `states` is changed in place; the outputs are returned.
 */
export function runPlan(
  { plan, outputs }: Program,
  inputs: Values,
  states: Record<string, Float64Array>,
): Record<string, Float64Array> {
  const buffers = plan.buffers.map(({ kind, name, elements: size, data }) => {
    if (kind === "input") return Float64Array.from(inputs[name]);
    if (kind === "state") return states[name];
    if (kind === "constant") return Float64Array.from(data!);
    return new Float64Array(size).fill(kind === "packed" ? 0 : Number.NaN);
  });
  for (const step of plan.steps) runStep(step, plan, buffers);
  return Object.fromEntries(
    [...outputs.keys()].map((name) => {
      const at = plan.buffers.findIndex((spec) => spec.kind === "output" && spec.name === name);
      return [name, buffers[at]];
    }),
  );
}

function runStep(step: Step, plan: Plan, buffers: readonly Float64Array[]): void {
  const at = (tensor: Tensor): Float64Array => {
    const { buffer, offset } = plan.places.get(tensor)!;
    return buffers[buffer].subarray(offset, offset + sizeOf(tensor.shape));
  };
  if (step.kind === "copy") {
    const { from, to, elements: count } = step;
    buffers[to.buffer].set(buffers[from.buffer].slice(from.offset, from.offset + count), to.offset);
  } else if (step.kind === "kernel") {
    const out = elements(step.node);
    step.node.op.reference!(step.node, step.node.inputs.map(at), out);
    at(step.node).set(out);
  } else runElementwise(step, at);
}

function runElementwise({ nodes, outputs, shape }: ElementwiseStep, at: (tensor: Tensor) => Float64Array): void {
  const own = new Set(nodes);
  const results = new Map<Tensor, number>();
  const read = (input: Tensor, index: number): number => {
    if (own.has(input)) return results.get(input)!;
    const uniform = uniformOf(input);
    if (uniform !== undefined) return uniform;
    // A view of something this very step computes is the same element.
    const { root } = rootOf(input);
    if (own.has(root)) return results.get(root)!;
    const strides = broadcastStrides(input.shape, shape);
    let [rest, position] = [index, 0];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position += (rest % shape[axis]) * strides[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    return at(input)[position];
  };
  for (let index = 0; index < sizeOf(shape); index++) {
    for (const node of nodes)
      results.set(
        node,
        node.op.scalar!(
          node.inputs.map((input) => read(input, index)),
          node.attrs,
        ),
      );
    for (const output of outputs) at(output)[index] = results.get(output)!;
  }
}
