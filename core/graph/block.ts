import { attrsOf } from "../ops/op.ts";
import { uniformOf } from "../ops/sources.ts";
import { createNode, nodesMade, type OpSpec, type Tensor } from "../tensor/tensor.ts";
import { inTraceOrder } from "./traverse.ts";

const same: OpSpec["reference"] = (_, [x], y) => y.set(x);

/** y = x, the result of a block: all nodes behind it from number `first` on. */
const blockSpec: OpSpec<{ readonly first: number }> = {
  name: "block",
  kind: "view",
  signature: "x[*] -> y[*]",
  vjp: (_, dy) => [dy],
  reference: same,
};

/** y = x, not to be read before `gate` is computed; what is computed from y is never what is computed from x. */
const afterSpec: OpSpec = {
  name: "after",
  kind: "view",
  signature: "x[*], gate[*] -> y[*]",
  vjp: (_, dy) => [dy, undefined],
  reference: same,
};

/**
 * Marks what `compute` traces as a block whose values `grad` may compute a second time instead of keeping them from the
 * forward pass: with recomputation, a network of n blocks keeps n results and the inside of one block, at the price of
 * about one more forward pass. Without it the mark has no effect.
 * Blocks may be nested. Recomputing one changes nothing: its values depend on its inputs alone, and random draws are
 * functions of key and stream. Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost, arXiv:1604.06174.
 *
 * ```ts
 * const y = blockOf(() => add(x, conv(scope.at("conv1"), silu(conv(scope.at("conv0"), x, C)), C)));
 * ```
 */
export function blockOf(compute: () => Tensor): Tensor {
  const first = nodesMade();
  const result = compute();
  // What was there before is an input of the block, not a part of it.
  if (result.id < first) return result;
  const { shape, dtype } = result;
  return createNode({ op: blockSpec, inputs: [result], attrs: { first }, shape, dtype });
}
blockOf.spec = blockSpec;

/** The same value, which no unit reads before `gate` is computed. */
const after = (x: Tensor, gate: Tensor): Tensor =>
  createNode({ op: afterSpec, inputs: [x, gate], attrs: {}, shape: x.shape, dtype: x.dtype });

/**
 * Traces a block's inside again, to run once `gate` is computed.
 * @param marker the block's result
 * @param now what stands for a node: itself, or its repetition when an outer block was repeated
 * @returns the repetition of each node
 */
export function repeatBlock(marker: Tensor, gate: Tensor, now: (node: Tensor) => Tensor): Map<Tensor, Tensor> {
  const { first } = attrsOf(marker, blockSpec);
  const repeated = new Map<Tensor, Tensor>();
  const gated = new Map<Tensor, Tensor>();
  const isInside = (node: Tensor) => node.id >= first;
  const outside = (node: Tensor): Tensor => {
    const value = now(node);
    if (uniformOf(value) !== undefined) return value;
    const known = gated.get(value) ?? after(value, gate);
    gated.set(value, known);
    return known;
  };
  for (const node of inTraceOrder([marker.inputs[0]])) {
    if (!isInside(node) || node.op.kind === "source") continue;
    const inputs = node.inputs.map((input) => repeated.get(input) ?? outside(input));
    // A block inside is repeated by itself when its own turn comes; here it is a part of the whole.
    repeated.set(node, node.op === blockSpec ? inputs[0] : createNode({ ...node, inputs }));
  }
  return repeated;
}
