import { suite } from "uvu";
import * as assert from "uvu/assert";
import { grad, topologicalOrder } from "../../../core/graph/mod.ts";
import * as ops from "../../../core/ops/mod.ts";
import { largestError } from "../../helpers/close.ts";
import { interpret } from "../../helpers/interpret.ts";

const test = suite("core/graph/differentiate");

const x = ops.input("x", [3]);
const values = { x: Float64Array.of(0.5, -1, 2) };
const evaluate = (...roots: Parameters<typeof interpret>[0]) =>
  interpret(roots, values).map((array) => Array.from(array));

test("contributions of every use of a value add up", () => {
  const loss = ops.sum(ops.add(ops.mul(x, x), ops.mul(x, 3)));
  assert.equal(evaluate(...grad(loss, [x])), [[4, 1, 7]]);
});

test("a broadcast operand gets the sum over its repetitions, in its own shape", () => {
  const row = ops.reshape(x, [3, 1]);
  const loss = ops.sum(ops.mul(ops.broadcastTo(row, { shape: [2, 3, 5] }), 2));
  const [g] = grad(loss, [row]);
  assert.equal(g.shape, [3, 1]);
  assert.equal(evaluate(g), [[20, 20, 20]]);
});

test("stopGradient passes the value and no gradient", () => {
  const loss = ops.sum(ops.mul(x, ops.stopGradient(x)));
  assert.equal(evaluate(loss, ...grad(loss, [x])), [[5.25], [0.5, -1, 2]]);
});

test("what the loss doesn't depend on has gradient zero", () => {
  const other = ops.input("other", [2, 2]);
  const [g] = grad(ops.sum(x), [other]);
  assert.is(g.op, ops.sources.constant);
  assert.equal([g.attrs.value, g.shape], [0, [2, 2]]);
});

test("gradients with respect to a value and to what it is made of are both whole", () => {
  const y = ops.mul(x, 2);
  const [dy, dx] = grad(ops.sum(ops.square(y)), [y, x]);
  assert.equal(evaluate(dy, dx), [
    [2, -4, 8],
    [4, -8, 16],
  ]);
});

test("only what leads from the inputs asked for is differentiated", () => {
  const frozen = ops.input("frozen", [3, 3]);
  const loss = ops.sum(ops.matmul(frozen, ops.reshape(x, [3, 1])));
  const before = new Set(topologicalOrder([loss]));
  const added = topologicalOrder(grad(loss, [x])).filter((node) => !before.has(node));
  assert.is(added.filter(({ op }) => op.name === "matmul").length, 1);
});

test("a seed is the cotangent of a result with several elements", () => {
  const y = ops.mul(x, x);
  const [g] = grad(y, [x], ops.constantArray([1, 10, 100], [3]));
  assert.equal(evaluate(g), [[1, -20, 400]]);
});

test("gradients can be differentiated again", () => {
  const [first] = grad(ops.sum(ops.mul(ops.square(x), x)), [x]);
  const [second] = grad(ops.sum(first), [x]);
  const [got] = interpret([second], values);
  assert.ok(largestError(got, [3, -6, 12]) < 1e-12);
});

test("a loss must have one element", () => {
  assert.throws(() => grad(ops.exp(x), [x]), /^Cannot differentiate exp \[3\]: a loss must have one element$/);
});

test("an op without a derivative says so, once a gradient has to pass it", () => {
  const flat = ops.input("flat", [6]);
  const loss = ops.sum(ops.view(flat, { offset: 1, shape: [2] }));
  assert.throws(() => grad(loss, [flat]), /^Cannot differentiate view: it has no derivative$/);
  assert.is(grad(loss, [x]).length, 1);
});

test.run();
