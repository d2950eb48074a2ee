import { failure } from "../errors.ts";
import { add } from "../ops/add.ts";
import { reshape } from "../ops/reshape.ts";
import { constant } from "../ops/sources.ts";
import { sum } from "../ops/sum.ts";
import { formatShape, type Shape, sameShape, sizeOf } from "../tensor/shape.ts";
import { withStorage } from "../tensor/storage.ts";
import { nodesMade, type Tensor } from "../tensor/tensor.ts";
import { blockOf, repeatBlock } from "./block.ts";
import { keptAs } from "./keptAs.ts";
import { topologicalOrder } from "./traverse.ts";

/** How gradients are made. */
export interface GradOptions {
  /** Whose values are computed again for the gradient instead of being kept: none, or those inside blocks. */
  readonly recompute?: "none" | "blocks";
  /** Told, for each node that is differentiated, which nodes its derivative is made of: those with an id in [first, end). */
  readonly derived?: (node: Tensor, first: number, end: number) => void;
}

/**
 * Gradients of a scalar with respect to `wrt`, as nodes of the same graph (reverse mode). Where nothing flows the
 * gradient is a constant zero. Only what leads from `wrt` to `loss` is differentiated. A gradient is kept in the storage of
 * what it belongs to: in f32 for a parameter, whatever the network between it and the loss is kept in.
 * @param seed cotangent of `loss`; 1 when absent, and then `loss` must have one element
 * @throws ShapeError when `loss` is not a scalar, or a gradient would have to pass an op that has none.
 */
export function grad(loss: Tensor, wrt: readonly Tensor[], seed?: Tensor, options: GradOptions = {}): Tensor[] {
  if (!seed && sizeOf(loss.shape) !== 1)
    throw failure(
      "E_SHAPE",
      `Cannot differentiate ${loss.op.name} ${formatShape(loss.shape)}: a loss must have one element`,
    );
  const found = pullBack([[loss, seed ?? constant(1, "f32", loss.shape)]], wrt, topologicalOrder([loss]), options);
  return wrt.map((tensor, i) => found[i] ?? constant(0, "f32", tensor.shape));
}

/**
 * Cotangents of `wrt` from those of some nodes, undefined where nothing flows.
 * @param order what is walked through, inputs before users
 */
export function pullBack(
  seeds: readonly (readonly [node: Tensor, cotangent: Tensor])[],
  wrt: readonly Tensor[],
  order: readonly Tensor[],
  { recompute = "none", derived }: GradOptions = {},
): (Tensor | undefined)[] {
  const active = new Set<Tensor>(wrt);
  for (const node of order) if (node.inputs.some((input) => active.has(input))) active.add(node);

  const cotangents = new Map<Tensor, Tensor>();
  const accumulate = (node: Tensor, dy: Tensor) => {
    const sofar = cotangents.get(node);
    cotangents.set(node, sofar ? withStorage(node.storage, () => add(sofar, dy)) : dy);
  };
  for (const [node, dy] of seeds) if (active.has(node)) accumulate(node, dy);
  // A repeated node has the derivative of the first, from values of its own.
  const repeated = new Map<Tensor, Tensor>();
  const now = (node: Tensor) => repeated.get(node) ?? node;
  for (const node of order.toReversed()) {
    const dy = cotangents.get(node);
    if (!dy || !node.inputs.some((input) => active.has(input))) continue;
    if (!node.op.vjp)
      throw failure("E_NOT_DIFFERENTIABLE", `Cannot differentiate ${node.op.name}: it has no derivative`);
    if (recompute === "blocks" && node.op === blockOf.spec)
      for (const [inner, again] of repeatBlock(node, dy, now)) repeated.set(inner, again);
    const first = nodesMade();
    const rule = node.op.vjp;
    const found = withStorage(node.storage, () => rule(now(node), dy));
    found.forEach((dx, i) => {
      const target = node.inputs[i];
      if (!dx || !active.has(target) || target.dtype !== "f32") return;
      const { shape, storage } = target;
      const fitted = withStorage(storage, () => unbroadcast(keptAs(storage, dx, first), shape));
      accumulate(target, fitted);
    });
    derived?.(node, first, nodesMade());
  }
  return wrt.map((tensor) => cotangents.get(tensor));
}

/** Sums a cotangent over the axes along which its operand was broadcast. */
function unbroadcast(dx: Tensor, shape: Shape): Tensor {
  if (sameShape(dx.shape, shape)) return dx;
  const missing = dx.shape.length - shape.length;
  const axes = dx.shape
    .map((_, axis) => axis)
    .filter((axis) => axis < missing || (shape[axis - missing] === 1 && dx.shape[axis] !== 1));
  return reshape(sum(dx, { axes, keepDims: true }), shape);
}
