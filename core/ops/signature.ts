import { failure } from "../errors.ts";
import { broadcastShapes, formatShape, type Shape } from "../tensor/shape.ts";
import type { DType } from "../tensor/tensor.ts";

/**
 * The signature of an op, as text: `a[... M K], i32 index[M] -> c[... M N]`.
 * A capital is a dimension; the same letter must have the same size everywhere. `...` stands for leading batch axes,
 * which broadcast against each other. `[*]` is any shape. `i32` before a name asks for that dtype; f32 is the rule for
 * everything that is differentiated, and unmarked inputs take either.
 */
export interface Signature {
  readonly inputs: readonly Pattern[];
  readonly output: Pattern;
}

export interface Pattern {
  readonly name: string;
  readonly dims: readonly string[];
  readonly batched: boolean;
  readonly any: boolean;
  readonly dtype?: DType;
}

const parsed = new Map<string, Signature>();

export function parseSignature(text: string): Signature {
  let signature = parsed.get(text);
  if (!signature) {
    const [left, right] = text.split("-> ");
    const inputs = left.match(/(?:i32 )?\w+\[[^\]]*\]/g) ?? [];
    signature = { inputs: inputs.map(parsePattern), output: parsePattern(right) };
    parsed.set(text, signature);
  }
  return signature;
}

function parsePattern(text: string): Pattern {
  const match = text.match(/^(i32 )?(\w+)\[([^\]]*)\]$/);
  if (!match) throw new Error(`onestep bug: "${text}" is not a pattern like x[... M N]`);
  const words = match[3].split(" ").filter((word) => word);
  return {
    name: match[2],
    dims: words.filter((word) => word !== "..." && word !== "*"),
    batched: words.includes("..."),
    any: words.includes("*"),
    dtype: match[1] ? "i32" : undefined,
  };
}

/** Sizes that a call gives to a signature: each dimension, each input's batch axes, and their common shape. */
export interface Binding {
  readonly dims: Record<string, number>;
  readonly batches: readonly Shape[];
  readonly batch: Shape;
}

/**
 * Matches shapes against a signature.
 * @throws ShapeError naming op, shapes and the dimension that disagrees.
 */
export function bindSignature(op: string, signature: Signature, shapes: readonly Shape[]): Binding {
  const dims: Record<string, number> = {};
  const owner: Record<string, string> = {};
  const refuse = (why: string): never => {
    const given = signature.inputs.map(({ name }, i) => `${name} ${formatShape(shapes[i])}`);
    throw failure("E_SHAPE", `Cannot apply ${op} to ${given.join(" and ")}: ${why}`);
  };
  const batches = signature.inputs.map((pattern, i) => {
    const shape = shapes[i];
    if (pattern.any) return [];
    const rank = pattern.dims.length;
    if (pattern.batched ? shape.length < rank : shape.length !== rank)
      refuse(`${pattern.name} has ${shape.length} axes, expected [${describe(pattern)}]`);
    const core = shape.slice(shape.length - rank);
    pattern.dims.forEach((dim, axis) => {
      const expected = /^\d+$/.test(dim) ? Number(dim) : dims[dim];
      if (expected === undefined) [dims[dim], owner[dim]] = [core[axis], pattern.name];
      else if (expected !== core[axis])
        refuse(
          owner[dim]
            ? `${dim} is ${expected} in ${owner[dim]} but ${core[axis]} in ${pattern.name}`
            : `axis ${axis} of ${pattern.name} is ${core[axis]}, expected ${dim}`,
        );
    });
    return shape.slice(0, shape.length - rank);
  });
  const batch = broadcastShapes(...batches) ?? refuse("the batch axes do not broadcast");
  return { dims, batches, batch };
}

const describe = (pattern: Pattern): string => [...(pattern.batched ? ["..."] : []), ...pattern.dims].join(" ");
