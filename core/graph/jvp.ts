import { failure } from "../errors.ts";
import { broadcastTo } from "../ops/broadcastTo.ts";
import { constant } from "../ops/sources.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import { withStorage } from "../tensor/storage.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { pullBack } from "./differentiate.ts";
import { topologicalOrder } from "./traverse.ts";

/**
 * How `outputs` change along a direction, as nodes of the same graph (forward mode): for y = f(x) and dx it is f′(x)·dx,
 *   jvp([u], [[x, v], [t, one]])   du/dt = ∂u/∂x · v + ∂u/∂t
 * each shaped like its output, and a constant zero where nothing flows. What stands behind `stopGradient`, a comparison or a rounding
 * counts as constant, as in `grad`. Tangents are kept in f32, whatever storage the values have. They are ordinary nodes, which
 * `grad` can pass, as long as no op on the way is of first order only (the gradients of normalisations are).
 * @param along inputs, or any nodes that lead to the outputs, each with its tangent of the same shape
 * @throws E_SHAPE for a tangent of another shape, E_DTYPE for one of an i32, E_NOT_DIFFERENTIABLE where an op has no derivative
 */
export function jvp(
  outputs: readonly Tensor[],
  along: readonly (readonly [input: Tensor, tangent: Tensor])[],
): Tensor[] {
  const tangents = new Map<Tensor, Tensor>();
  for (const [x, dx] of along) {
    if (!sameShape(x.shape, dx.shape))
      throw failure(
        "E_SHAPE",
        `Cannot differentiate along ${formatShape(dx.shape)}: the tangent of a ${formatShape(x.shape)} must have its shape`,
      );
    if (x.dtype !== "f32" || dx.dtype !== "f32")
      throw failure("E_DTYPE", `Cannot differentiate along ${dx.dtype} for a ${x.dtype}: both must be f32`);
    tangents.set(x, dx);
  }
  for (const node of topologicalOrder(outputs)) {
    if (tangents.has(node) || node.dtype !== "f32") continue;
    const own = node.inputs.map((input) => tangents.get(input));
    if (own.every((tangent) => tangent === undefined)) continue;
    const tangent = withStorage("f32", () => tangentOf(node, own));
    if (tangent) tangents.set(node, tangent);
  }
  return outputs.map((output) => tangents.get(output) ?? constant(0, "f32", output.shape));
}

/**
 * By the op's own rule, or else the transpose of its `vjp`: with x̄ = Jᵀ·ȳ, which is linear in ȳ, the gradient of Σ x̄·ẋ by ȳ is J·ẋ.
 * What ȳ is does not matter.
 */
function tangentOf(node: Tensor, tangents: readonly (Tensor | undefined)[]): Tensor | undefined {
  const { name, vjp, jvp: rule } = node.op;
  if (rule) return rule(node, tangents);
  if (!vjp) throw failure("E_NOT_DIFFERENTIABLE", `Cannot differentiate ${name}: it has no derivative`);
  const anyCotangent = constant(0, "f32", node.shape);
  const pulled = vjp(node, anyCotangent);
  const seeds = pulled.flatMap((part, i) => {
    const tangent = tangents[i];
    return part && tangent ? [[part, spread(tangent, part)] as const] : [];
  });
  const order = topologicalOrder(
    seeds.map(([part]) => part),
    anyCotangent.id,
  );
  return pullBack(seeds, [anyCotangent], order)[0];
}

/** The cotangent of an operand that was broadcast is not summed up by its rule, so the tangent is repeated. */
const spread = (tangent: Tensor, { shape }: Tensor): Tensor =>
  sameShape(tangent.shape, shape) ? tangent : broadcastTo(tangent, { shape });
