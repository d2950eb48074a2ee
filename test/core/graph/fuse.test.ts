import { suite } from "uvu";
import * as assert from "uvu/assert";
import { program, type Step } from "../../../core/graph/mod.ts";
import * as ops from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { largestError } from "../../helpers/close.ts";
import { interpret, runPlan } from "../../helpers/interpret.ts";
import { Draw } from "../../helpers/ops.ts";

const test = suite("core/graph/fuse");

const kinds = (steps: readonly Step[]) => steps.map((step) => (step.kind === "kernel" ? step.node.op.name : step.kind));

test("a chain of elementwise ops is one step, however it branches", () => {
  const [x, y] = [ops.input("x", [5, 7]), ops.input("y", [7])];
  const a = ops.tanh(ops.add(x, y));
  const out = ops.add(ops.mul(a, ops.sigmoid(a)), ops.exp(ops.neg(a)));
  const { plan } = program({ name: "chain", outputs: { out } });
  assert.equal(kinds(plan.steps), ["elementwise"]);
});

test("a fused step may write several values", () => {
  const x = ops.input("x", [5, 7]);
  const a = ops.tanh(x);
  const b = ops.mul(a, 2);
  const { plan } = program({ name: "two", outputs: { a, b, rows: ops.sum(b, { axes: [1] }) } });
  assert.equal(kinds(plan.steps), ["elementwise", "sum"]);
  const [first] = plan.steps;
  assert.is(first.kind === "elementwise" && first.outputs.length, 2);
});

test("ops are not joined around a kernel that lies between them", () => {
  const x = ops.input("x", [5, 7]);
  const a = ops.exp(x);
  const out = ops.div(a, ops.sum(a, { axes: [1], keepDims: true }));
  const { plan } = program({ name: "softmax", outputs: { out } });
  assert.equal(kinds(plan.steps), ["elementwise", "sum", "elementwise"]);
});

test("a cycle through a group that grew later is seen", () => {
  // {a, c} depends on t, and row on {a, c}: joining t with out, which needs row, would close a circle.
  const [x, y] = [ops.input("x", [3, 5]), ops.input("y", [1, 5])];
  const a = ops.exp(x);
  const row = ops.sum(a, { axes: [0], keepDims: true });
  const t = ops.exp(y);
  const c = ops.mul(a, t);
  const out = ops.mul(t, row);
  const compiled = program({ name: "circle", outputs: { row, c, out } });
  const values = { x: new Draw(1).normal([3, 5]).data, y: new Draw(2).normal([1, 5]).data };
  const got = runPlan(compiled, values, {});
  interpret([row, c, out], values).forEach((expected, i) => {
    assert.ok(largestError(got[["row", "c", "out"][i]], expected) < 1e-12);
  });
});

test("a kernel never reads another element of its own result", () => {
  const x = ops.input("x", [6]);
  const a = ops.tanh(x);
  const last = ops.view(a, { offset: 5, shape: [] });
  const b = ops.mul(ops.add(a, 1), last);
  const compiled = program({ name: "self", outputs: { a, b } });
  const values = { x: new Draw(1).normal([6]).data };
  const got = runPlan(compiled, values, {});
  assert.ok(largestError(got.b, interpret([b], values)[0]) < 1e-12);
});

test("more than 8 buffers are split over several steps", () => {
  const inputs = Array.from({ length: 20 }, (_, i) => ops.input(`x${i}`, [7]));
  const out = inputs.reduce((a, b) => ops.add(a, b));
  const { plan } = program({ name: "wide", outputs: { out } });
  assert.is(plan.steps.length, 4); // 7 values and a result, then 6, 6 and 1 more with the sum so far
  for (const step of plan.steps)
    assert.ok(step.kind === "elementwise" && step.inputs.length + step.outputs.length <= 8);
});

/** Five states updated from three inputs: 13 values, but 8 buffers when the states are written in place. */
function wideUpdate(): [Tensor, Tensor][] {
  const states = Array.from({ length: 5 }, (_, i) => ops.state(`s${i}`, [100]));
  const inputs = Array.from({ length: 3 }, (_, i) => ops.input(`x${i}`, [100]));
  const shared = inputs.reduce((a, b) => ops.add(a, b));
  return states.map((state, i) => [state, ops.add(state, ops.mul(shared, i + 1))]);
}

test("a state and the value written over it count as one buffer", () => {
  const { plan } = program({ name: "update", updates: wideUpdate() });
  assert.equal(kinds(plan.steps), ["elementwise"]);
  assert.is(plan.buffers.length, 8);
});

test("states that something else still reads do not", () => {
  const updates = wideUpdate();
  const outputs = { old: ops.tanh(ops.sum(updates[0][0])), all: ops.sum(updates[1][1]) };
  const { plan } = program({ name: "update", updates, outputs });
  for (const step of plan.steps) {
    if (step.kind !== "elementwise") continue;
    const touched = [...step.inputs, ...step.outputs].map((value) => plan.places.get(value)!.buffer);
    assert.ok(new Set(touched).size <= 8);
  }
});

test("a deep graph is fused in reasonable time", () => {
  let x = ops.input("x", [4, 6]);
  for (let i = 0; i < 800; i++) {
    const y = ops.silu(ops.mul(x, 0.5));
    x = ops.add(x, ops.softmax(ops.mul(y, ops.tanh(y))));
  }
  const start = performance.now();
  program({ name: "deep", outputs: { x } });
  const seconds = (performance.now() - start) / 1000;
  assert.ok(seconds < 2, `${seconds} s`);
});

test.run();
