import { invariant } from "../../../core/errors.ts";
import { rootOf } from "../../../core/graph/mod.ts";
import type { ElementwiseStep } from "../../../core/graph/plan.ts";
import { uniformOf } from "../../../core/ops/mod.ts";
import { broadcastAxes } from "../../../core/tensor/axes.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import type { DType, Tensor } from "../../../core/tensor/tensor.ts";

/** An operand of a node: what an earlier node made, what is loaded, or a constant. */
export type Reference = { readonly node: number } | { readonly input: number } | { readonly constant: number };

/** A number that is the same everywhere. */
export interface Constant {
  readonly dtype: DType;
  readonly value: number;
}

/**
 * A fused step without its numbers: two chains with one `key` run the same code, on other addresses, sizes and constants.
 * Networks repeat their blocks, so a program has far fewer keys than steps.
 */
export interface Chain {
  readonly key: string;
  readonly nodes: readonly { readonly node: Tensor; readonly references: readonly Reference[] }[];
  /** Loaded tensors. */
  readonly inputs: readonly Tensor[];
  /** Stored nodes, by their number. */
  readonly outputs: readonly number[];
  readonly constants: readonly Constant[];
  /** Sizes of the joined axes, outermost first. */
  readonly sizes: readonly number[];
  /** Of the output, then of each other way in which an input moves: its strides along the axes. */
  readonly patterns: readonly (readonly number[])[];
  /** The pattern of each input. */
  readonly patternOf: readonly number[];
}

/** Takes the numbers out of a step. */
export function chainOf(step: ElementwiseStep): Chain {
  const elements = sizeOf(step.shape);
  const numberOf = new Map(step.nodes.map((node, i) => [node, i]));
  const inputs = step.inputs.filter((input) => !numberOf.has(rootOf(input).root));
  const constants: Constant[] = [];

  const reference = (input: Tensor): Reference => {
    const value = uniformOf(input);
    if (value !== undefined) {
      const same = (each: Constant) => each.dtype === input.dtype && Object.is(each.value, value);
      const known = constants.findIndex(same);
      if (known >= 0) return { constant: known };
      return { constant: constants.push({ dtype: input.dtype, value }) - 1 };
    }
    const { root, offset } = rootOf(input);
    const own = numberOf.get(root);
    if (own === undefined) return { input: inputs.indexOf(input) };
    const whole = offset === 0 && sizeOf(input.shape) === elements;
    invariant(whole, `${root.op.name} is read through a view in the kernel that makes it`);
    return { node: own };
  };
  const nodes = step.nodes.map((node) => ({ node, references: node.inputs.map(reference) }));
  const outputs = step.outputs.map((node) => numberOf.get(node)!);

  // The last operand is the result; a step over single elements keeps one axis.
  const operands = [...inputs.map(({ shape }) => shape), step.shape];
  const joined = broadcastAxes(step.shape, operands);
  const axes = joined.length ? joined : [{ size: 1, strides: operands.map(() => 0) }];
  const sizes = axes.map(({ size }) => size);
  const strides = operands.map((_, i) => axes.map((axis) => axis.strides[i]));
  const patterns = [strides[inputs.length]];
  const patternOf = inputs.map((_, i) => {
    const known = patterns.findIndex((pattern) => `${pattern}` === `${strides[i]}`);
    return known >= 0 ? known : patterns.push(strides[i]) - 1;
  });

  const key = JSON.stringify([
    nodes.map(({ node, references }) => [node.op.name, attributes(node), types(node), references]),
    outputs,
    patterns.map((pattern) => pattern.map((stride) => stride !== 0)),
    patternOf,
    constants.map(({ dtype }) => dtype),
  ]);
  return { key, nodes, inputs, outputs, constants, sizes, patterns, patternOf };
}

const types = (node: Tensor): string => node.inputs.map(({ dtype }) => dtype).join();

/** Attributes that are part of the code; a shape never is. JSON has no infinities. */
const attributes = ({ attrs }: Tensor): string =>
  Object.entries(attrs)
    .filter(([name]) => name !== "shape")
    .map(([name, value]) => `${name}=${value}`)
    .join();
