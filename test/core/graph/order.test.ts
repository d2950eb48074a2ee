import { suite } from "uvu";
import * as assert from "uvu/assert";
import { grad, program } from "../../../core/graph/mod.ts";
import { type Orderable, peakOf } from "../../../core/graph/order.ts";
import * as ops from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

const test = suite("core/graph/order");

const unit = (nodes: Tensor[], inputs: Tensor[]): Orderable => ({
  nodes,
  inputs,
  outputs: nodes,
  dependsOn: new Set(),
  users: new Set(),
});

test("the peak counts values from the unit that makes them to the last that reads them", () => {
  const x = ops.input("x", [8]);
  const [a, b] = [ops.softmax(x), ops.softmax(ops.neg(x))];
  const c = ops.matmul(ops.reshape(a, [1, 8]), ops.reshape(b, [8, 1]));
  const order = [unit([a], [x]), unit([b], [x]), unit([c], c.inputs as Tensor[])];
  assert.is(peakOf(order, new Set()), 17);
  assert.is(peakOf(order, new Set([c])), 16, "what the caller reads has a place of its own");
});

test("weight gradients are computed as soon as they can be", () => {
  // Depth first, the gradient of the first weight would come first, and all others would wait with their operands.
  const weights = Array.from({ length: 6 }, (_, i) => ops.state(`w${i}`, [32, 32]));
  const x = ops.input("x", [256, 32]);
  const y = weights.reduce<Tensor>((h, w) => ops.softmax(ops.matmul(h, w)), x);
  const flat = ops.pack(
    grad(ops.sum(ops.square(y)), weights),
    weights.map((_, i) => i * 1024),
    6 * 1024,
  );
  const { plan } = program({ name: "deep", outputs: { flat } });
  const products = plan.steps.flatMap((step) =>
    step.kind === "kernel" && step.node.op.name === "matmul" ? [step.node] : [],
  );
  const order = products.map(({ attrs }) => (attrs.transA ? "w" : attrs.transB ? "x" : "f")).join("");
  assert.ok(/^f{6}(xw|wx){5}w$/.test(order), order);
});

test("of two orders the one with the lower peak is taken", () => {
  // Traced breadth first: every reduced value waits for the last; depth first, one large value lives at a time.
  const inputs = Array.from({ length: 5 }, (_, i) => ops.input(`x${i}`, [64, 64]));
  const large = inputs.map((input) => ops.softmax(input));
  const small = large.map((each) => ops.sum(each, { axes: [1] }));
  const y = small.reduce((a, b) => ops.add(ops.softmax(a), b));
  const { plan } = program({ name: "wide", outputs: { y } });
  const scratch = plan.buffers.filter(({ kind }) => kind === "scratch");
  assert.ok(scratch.reduce((sum, { elements }) => sum + elements, 0) < 2 * 64 * 64);
});

test.run();
