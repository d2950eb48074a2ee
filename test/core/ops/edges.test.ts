import { suite } from "uvu";
import * as assert from "uvu/assert";
import { grad } from "../../../core/graph/mod.ts";
import * as ops from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { interpret } from "../../helpers/interpret.ts";

/** Values and gradients that random numbers don't meet: ties, bounds, zeros, infinities. As PyTorch has them. */
const test = suite("core/ops at the edges");

const values = (root: Tensor, data: readonly number[] = []) =>
  Array.from(interpret([root], { x: Float64Array.from(data), key: Float64Array.of(1, 2, 3) })[0]);

/** Value and gradient of Σ over each element of x. */
function both(op: (x: Tensor) => Tensor, data: readonly number[]): [number[], number[]] {
  const x = ops.input("x", [data.length]);
  const y = op(x);
  const plain = (list: number[]) => list.map((value) => value + 0); // −0 as 0
  return [plain(values(y, data)), plain(values(grad(ops.sum(y), [x])[0], data))];
}

test("kinks: abs, relu, clamp and softplus at their corners", () => {
  assert.equal(both(ops.abs, [-2, 0, 2])[1], [-1, 0, 1]);
  assert.equal(both(ops.relu, [-2, 0, 2]), [
    [0, 0, 2],
    [0, 0, 1],
  ]);
  assert.equal(
    both((x) => ops.clamp(x, { min: -1, max: 1 }), [-2, -1, 0, 1, 2]),
    [
      [-1, -1, 0, 1, 1],
      [0, 1, 1, 1, 0],
    ],
  );
  assert.equal(both(ops.softplus, [0])[1], [0.5]);
});

test("ties share the gradient", () => {
  assert.equal(both((x) => ops.maximum(x, 1), [0, 1, 2])[1], [0, 0.5, 1]);
  assert.equal(both((x) => ops.minimum(x, 1), [0, 1, 2])[1], [1, 0.5, 0]);
  assert.equal(both((x) => ops.max(x), [3, 1, 3, 3])[1], [1 / 3, 0, 1 / 3, 1 / 3]);
});

test("pow: zero and negative bases, zero exponents", () => {
  assert.equal(
    both((x) => ops.pow(x, 2), [-3, 0]),
    [
      [9, 0],
      [-6, 0],
    ],
  );
  assert.equal(both((x) => ops.pow(x, 0), [0, 5])[1], [0, 0]);
  assert.equal(both((x) => ops.pow(0, x), [0, 2])[1], [0, 0]);
  assert.ok(Number.isNaN(both((x) => ops.pow(x, 0.5), [-1])[0][0]));
});

test("nanToNum: NaN and infinities become finite, without gradient", () => {
  const largest = 3.4028234663852886e38;
  assert.equal(both(ops.nanToNum, [Number.NaN, Infinity, -Infinity, 2]), [
    [0, largest, -largest, 2],
    [0, 0, 0, 1],
  ]);
});

test("where: a value not chosen never shows", () => {
  const root = (x: Tensor) => ops.where(ops.greater(x, 0), ops.sqrt(ops.maximum(x, 0)), 7);
  assert.equal(both(root, [-1, 4])[0], [7, 2]);
  const labels = ops.constantArray([0, 3], [2], "i32");
  assert.equal(values(ops.where(labels, 1, ops.constant(Number.NaN))), [Number.NaN, 1]);
});

test("softmax, logSoftmax, logsumexp: huge logits and −∞", () => {
  const x = ops.input("x", [2, 2]);
  const data = [1000, 1000, -1000, -Infinity];
  assert.equal(values(ops.softmax(x), data), [0.5, 0.5, 1, 0]);
  assert.equal(values(ops.logsumexp(x, { axes: [1] }), data), [1000 + Math.LN2, -1000]);
  assert.equal(values(ops.logSoftmax(x), data), [-Math.LN2, -Math.LN2, 0, -Infinity]);
  assert.equal(values(ops.logsumexp(x), [-Infinity, -Infinity, -Infinity, -Infinity]), [-Infinity]);
  assert.equal(values(ops.logsumexp(x), [1, 2, Infinity, 0]), [Infinity]);
});

test("attention: a query that may look at one key only returns its value", () => {
  const mask = ops.constantArray([0, -Infinity, 0, 0], [2, 2]);
  const v = ops.constantArray([3, 5], [2, 1]);
  const q = ops.constantArray([1, 1], [2, 1]);
  assert.equal(values(ops.attention(q, q, v, { mask })), [3, 4]);
});

test("crossEntropy: an impossible class that is not the label does no harm", () => {
  const logits = ops.input("x", [1, 3]);
  const loss = ops.crossEntropy(logits, ops.constantArray([0], [1], "i32"));
  assert.equal(values(loss, [0, -Infinity, 0]), [Math.LN2]);
  assert.equal(values(grad(loss, [logits])[0], [0, -Infinity, 0]), [-0.5, 0, 0.5]);
});

test("argmax: the first of equals, an axis kept when asked", () => {
  const x = ops.input("x", [2, 3]);
  assert.equal(values(ops.argmax(x), [1, 3, 3, 2, 2, 0]), [1, 0]);
  assert.equal(ops.argmax(x, { axis: 0, keepDims: true }).shape, [1, 3]);
});

test("oneHot: a label outside the classes is a row of zeros", () => {
  const labels = ops.constantArray([1, -1, 2], [3], "i32");
  assert.equal(values(ops.oneHot(labels, 2)), [0, 1, 0, 0, 0, 0]);
});

test("random helpers: ranges, types and streams", () => {
  const key = ops.input("key", [3], "i32");
  const numbers = values(ops.randint(key, { stream: 1, shape: [4000], low: -2, high: 3 }));
  assert.equal(
    [...new Set(numbers)].sort((a, b) => a - b),
    [-2, -1, 0, 1, 2],
  );
  assert.is(ops.randint(key, { stream: 1, shape: [1], low: 0, high: 2 }).dtype, "i32");
  const u = values(ops.uniform(key, { stream: 1, shape: [4000], low: 2, high: 4 }));
  assert.ok(Math.min(...u) >= 2 && Math.max(...u) < 4);
  assert.ok(Math.abs(u.reduce((a, b) => a + b) / 4000 - 3) < 0.04); // 4 standard errors
  assert.is.not(
    values(ops.normal(key, { stream: 1, shape: [1] }))[0],
    values(ops.normal(key, { stream: 2, shape: [1] }))[0],
  );
});

test("dropout: a share p is zero, the rest is scaled to keep the mean", () => {
  const x = ops.constant(1, "f32", [4000]);
  const key = ops.input("key", [3], "i32");
  const y = values(ops.dropout(x, key, { p: 0.25, stream: 1 }));
  assert.equal([...new Set(y)].sort(), [0, 1 / 0.75]);
  assert.ok(Math.abs(y.filter((value) => value === 0).length / 4000 - 0.25) < 0.03);
  assert.is(ops.dropout(x, key, { p: 0, stream: 1 }), x);
  assert.equal([...new Set(values(ops.dropout(x, key, { p: 1, stream: 1 })))], [0]);
});

test("interpolate: aligned corners keep the corners", () => {
  const x = ops.input("x", [2, 3]);
  const options = { size: [3, 5], mode: "bilinear", alignCorners: true } as const;
  assert.equal(
    values(ops.interpolate(x, options), [0, 1, 2, 10, 11, 12]),
    [0, 0.5, 1, 1.5, 2, 5, 5.5, 6, 6.5, 7, 10, 10.5, 11, 11.5, 12],
  );
});

test("upsampleNearest and sumPool undo each other", () => {
  const x = ops.input("x", [2, 2]);
  const up = ops.upsampleNearest(x, { factor: 2 });
  assert.equal(values(up, [1, 2, 3, 4]), [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
  assert.equal(values(ops.averageDown(up), [1, 2, 3, 4]), [1, 2, 3, 4]);
});

test.run();
