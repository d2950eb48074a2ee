import { suite } from "uvu";
import * as assert from "uvu/assert";
import { simplify, topologicalOrder } from "../../../core/graph/mod.ts";
import * as ops from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

const test = suite("core/graph/simplify");

const names = (roots: readonly Tensor[]) => topologicalOrder(simplify(roots)).map(({ op }) => op.name);

test("equal calls are one node, whoever made them", () => {
  const x = () => ops.input("x", [4]);
  assert.equal(names([ops.add(ops.exp(x()), ops.exp(x()))]), ["input", "exp", "add"]);
});

test("calls with other attributes, shapes or tables stay apart", () => {
  const x = ops.input("x", [2, 2]);
  const [a, b] = simplify([ops.sum(x, { axes: [0] }), ops.sum(x, { axes: [1] })]);
  assert.is.not(a, b);
  const [c, d] = simplify([ops.clamp(x, { min: 0 }), ops.clamp(x, { min: -0 })]);
  assert.is.not(c, d);
  const [e, f] = simplify([ops.clamp(x, { max: 1 }), ops.clamp(x, { min: -1, max: 1 })]);
  assert.is.not(e, f);
  const [g, h] = simplify([ops.constantArray([1, 2], [2]), ops.constantArray([1, 3], [2])]);
  assert.is.not(g, h);
});

test("random draws of one stream are one draw, of two streams two", () => {
  const key = ops.input("key", [3], "i32");
  const draw = (stream: number) => ops.normal(key, { stream, shape: [4] });
  assert.is(names([ops.add(draw(1), draw(1))]).filter((name) => name === "random").length, 1);
  assert.is(names([ops.add(draw(1), draw(2))]).filter((name) => name === "random").length, 2);
});

test("elementwise ops of constants are folded, in float32", () => {
  const [y] = simplify([ops.div(ops.add(1, 1), ops.constant(3, "f32", [2]))]);
  assert.is(y.op, ops.sources.constant);
  assert.is(y.attrs.value, Math.fround(2 / 3));
  assert.equal(y.shape, [2]);
});

test("identities vanish", () => {
  const x = ops.input("x", [4]);
  const identities = [
    ops.mul(x, 1),
    ops.mul(1, x),
    ops.add(x, 0),
    ops.add(0, x),
    ops.sub(x, 0),
    ops.div(x, 1),
    ops.stopGradient(x),
    ops.reshape(x, [4]),
    ops.reshape(ops.reshape(x, [2, 2]), [4]),
    ops.broadcastTo(x, { shape: [4] }),
    ops.mul(x, ops.constant(1, "f32", [1])),
  ];
  for (const root of simplify(identities)) assert.is(root, x);
});

test("an identity that also broadcasts stays", () => {
  const x = ops.input("x", [4]);
  const [y] = simplify([ops.mul(x, ops.constant(1, "f32", [3, 1]))]);
  assert.equal(y.shape, [3, 4]);
  assert.is(y.op.name, "mul");
});

test("x · 0 stays: it is NaN where x is infinite", () => {
  assert.equal(names([ops.mul(ops.input("x", [4]), 0)]), ["input", "constant", "mul"]);
});

test("what no root needs is gone", () => {
  const x = ops.input("x", [4]);
  ops.exp(x);
  assert.equal(names([ops.neg(x)]), ["input", "neg"]);
});

test.run();
