import { add } from "../ops/add.ts";
import { broadcastTo } from "../ops/broadcastTo.ts";
import { div } from "../ops/div.ts";
import { mul } from "../ops/mul.ts";
import { pad } from "../ops/pad.ts";
import { reshape } from "../ops/reshape.ts";
import { slice } from "../ops/slice.ts";
import { constant, uniformOf } from "../ops/sources.ts";
import { stopGradient } from "../ops/stopGradient.ts";
import { sub } from "../ops/sub.ts";
import { sameShape, sizeOf } from "../tensor/shape.ts";
import { withStorage } from "../tensor/storage.ts";
import { createNode, type Tensor } from "../tensor/tensor.ts";
import { blockOf } from "./block.ts";
import { joinedPads, sliceAsView } from "./rewriteParts.ts";
import { inTraceOrder } from "./traverse.ts";

/**
 * The same graph, smaller: equal nodes are merged, constants folded, identities and gradient barriers dropped, and
 * what no root needs is gone. Returns the image of each root; images are in the order of the trace.
 */
export function simplify(roots: readonly Tensor[]): Tensor[] {
  const image = new Map<Tensor, Tensor>();
  const unique = new Map<string, Tensor>();
  for (const node of inTraceOrder(roots)) {
    const inputs = node.inputs.map((input) => image.get(input)!);
    const rewritten = withStorage(node.storage, () => rewrite(node, inputs));
    const result = rewritten ?? (node.op.kind === "source" ? node : createNode({ ...node, inputs }));
    const key = keyOf(result);
    const twin = unique.get(key);
    if (!twin) unique.set(key, result);
    image.set(node, twin ?? result);
  }
  return roots.map((root) => image.get(root)!);
}

const tableIds = new WeakMap<object, number>();
let tables = 0;
/** Typed arrays are compared by identity: hashing a table on every pass would cost more than it saves. */
function keyOf(node: Tensor): string {
  const attrs = JSON.stringify(node.attrs, (_, value) => {
    if (typeof value === "number" && !Number.isFinite(value)) return `#${value}`;
    if (Object.is(value, -0)) return "#-0";
    if (!ArrayBuffer.isView(value)) return value;
    if (!tableIds.has(value)) tableIds.set(value, tables++);
    return `table ${tableIds.get(value)}`;
  });
  const inputs = node.inputs.map((input) => input.id).join();
  return `${node.op.name}(${inputs})${attrs}:${node.shape}:${node.dtype}:${node.storage}`;
}

/** A simpler node with the same value, or undefined. `inputs` are already simplified. */
function rewrite(node: Tensor, inputs: readonly Tensor[]): Tensor | undefined {
  const [a, b] = inputs;
  switch (node.op) {
    case stopGradient.spec:
    case blockOf.spec:
      return a;
    case reshape.spec:
      if (sameShape(a.shape, node.shape)) return a;
      if (a.op === reshape.spec)
        return sameShape(a.inputs[0].shape, node.shape) ? a.inputs[0] : createNode({ ...node, inputs: [a.inputs[0]] });
      return uniformOf(a) === undefined ? undefined : filled(uniformOf(a)!, node);
    case broadcastTo.spec:
      if (sameShape(a.shape, node.shape)) return a;
      break;
    case mul.spec:
      if (uniformOf(a) === 1) return fitted(b, node);
      if (uniformOf(b) === 1) return fitted(a, node);
      break;
    case add.spec:
      if (uniformOf(a) === 0) return fitted(b, node);
      if (uniformOf(b) === 0) return fitted(a, node);
      if (a.op === pad.spec) return joinedPads(a, b);
      break;
    case slice.spec:
      return sliceAsView(node, a);
    case sub.spec:
      if (uniformOf(b) === 0) return fitted(a, node);
      break;
    case div.spec:
      if (uniformOf(b) === 1) return fitted(a, node);
      break;
  }
  // An elementwise op of constants that are the same number everywhere is such a constant itself.
  if (node.op.scalar && inputs.every((input) => uniformOf(input) !== undefined)) {
    const value = node.op.scalar(
      inputs.map((input) => uniformOf(input)!),
      node.attrs,
    );
    return filled(node.dtype === "f32" ? Math.fround(value) : value, node);
  }
  return undefined;
}

const filled = (value: number, like: Tensor): Tensor => constant(value, like.dtype, like.shape);

/** An operand in place of the whole node, when no broadcasting or conversion would be lost. */
const fitted = (operand: Tensor, node: Tensor): Tensor | undefined =>
  operand.dtype === node.dtype && sizeOf(operand.shape) === sizeOf(node.shape)
    ? sameShape(operand.shape, node.shape)
      ? operand
      : reshape(operand, node.shape)
    : undefined;
