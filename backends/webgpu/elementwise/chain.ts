import { invariant } from "../../../core/errors.ts";
import { type ElementwiseStep, type Place, type Plan, rootOf } from "../../../core/graph/mod.ts";
import { uniformOf } from "../../../core/ops/mod.ts";
import type { Shape } from "../../../core/tensor/shape.ts";
import type { Attrs, DType, Tensor } from "../../../core/tensor/tensor.ts";

/** A value read from a buffer; it broadcasts to the chain's shape. */
export interface Read {
  readonly place: Place;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** A value computed for each element. `args` are numbers of earlier values. */
export type Value =
  | { readonly kind: "read"; readonly read: number; readonly dtype: DType }
  | { readonly kind: "number"; readonly value: number; readonly dtype: DType }
  /** What the kernel has made that the chain ends; see epilogue.ts. */
  | { readonly kind: "given"; readonly dtype: DType }
  | {
      readonly kind: "op";
      readonly op: string;
      readonly attrs: Attrs;
      readonly args: readonly number[];
      readonly dtype: DType;
    };

/** Writes value number `value`, which has the chain's shape. */
export interface Write {
  readonly place: Place;
  readonly value: number;
  readonly dtype: DType;
}

/** A fused elementwise step, free of tensors and of the plan: what the code generator needs. */
export interface Chain {
  readonly shape: Shape;
  readonly reads: readonly Read[];
  readonly values: readonly Value[];
  readonly writes: readonly Write[];
}

/** The chain of an elementwise step; `given` is not read from memory. */
export function chainOf(step: ElementwiseStep, plan: Plan, given?: Tensor): Chain {
  const reads: Read[] = [];
  const values: Value[] = [];
  const numbers = new Map<Tensor, number>();
  const own = new Set(step.nodes);

  const numberOf = (tensor: Tensor): number => {
    const known = numbers.get(tensor);
    if (known !== undefined) return known;
    const { root, offset } = rootOf(tensor);
    // A view of something this very step computes is the same element, never read back from memory.
    if (own.has(root)) {
      invariant(
        offset === 0 && sizeOfAll(tensor) === sizeOfAll(root),
        `an elementwise step reads a part of its own ${root.op.name}`,
      );
      return numbers.get(root)!;
    }
    const { dtype, shape } = tensor;
    const uniform = uniformOf(tensor);
    let value: Value;
    if (root === given) value = { kind: "given", dtype };
    else if (uniform !== undefined) value = { kind: "number", value: uniform, dtype };
    else {
      const place = plan.places.get(tensor);
      invariant(place, `${tensor.op.name} has no place`);
      value = { kind: "read", read: reads.push({ place, shape, dtype }) - 1, dtype };
    }
    numbers.set(tensor, values.push(value) - 1);
    return values.length - 1;
  };

  for (const node of step.nodes) {
    const args = node.inputs.map(numberOf);
    const { dtype, attrs } = node;
    numbers.set(node, values.push({ kind: "op", op: node.op.name, attrs, args, dtype }) - 1);
  }
  const writes = step.outputs.map((output): Write => {
    const place = plan.places.get(output);
    invariant(place, `${output.op.name} has no place`);
    return { place, value: numbers.get(output)!, dtype: output.dtype };
  });
  return { shape: step.shape, reads, values, writes };
}

/** A chain that moves elements and computes nothing. */
export function copyChain(from: Place, to: Place, elements: number, dtype: DType): Chain {
  const shape = [elements];
  return {
    shape,
    reads: [{ place: from, shape, dtype }],
    values: [{ kind: "read", read: 0, dtype }],
    writes: [{ place: to, value: 0, dtype }],
  };
}

const sizeOfAll = ({ shape }: Tensor): number => shape.reduce((product, size) => product * size, 1);
