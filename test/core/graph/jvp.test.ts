import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { blockOf, grad, jvp, topologicalOrder } from "../../../core/graph/mod.ts";
import * as ops from "../../../core/ops/mod.ts";
import { withStorage } from "../../../core/tensor/mod.ts";
import { largestError } from "../../helpers/close.ts";
import { interpret } from "../../helpers/interpret.ts";
import { runOn } from "../../helpers/opsProgram.ts";
import { thrown } from "../../helpers/thrown.ts";

const test = suite("core/graph/jvp");

const x = ops.input("x", [3]);
const t = ops.input("t", [1]);
const v = ops.input("v", [3]);
const one = ops.constant(1, "f32", [1]);
const values = { x: Float64Array.of(0.5, -1, 2), t: Float64Array.of(0.3), v: Float64Array.of(1, 0.5, -2) };
const evaluate = (...roots: Parameters<typeof interpret>[0]) =>
  interpret(roots, values).map((array) => Array.from(array));

test("tangents along several inputs add up: d/dt (x·t + t²) = v·t + x + 2t along (v, 1)", () => {
  const u = ops.add(ops.mul(x, t), ops.square(t));
  const [du] = evaluate(
    ...jvp(
      [u],
      [
        [x, v],
        [t, one],
      ],
    ),
  );
  const expected = [0, 1, 2].map((i) => values.v[i] * 0.3 + values.x[i] + 0.6);
  assert.ok(largestError(du, expected) < 1e-12);
});

test("several outputs, among them an input itself and what does not depend on any", () => {
  const [same, twice, none] = jvp([x, ops.mul(x, 2), t], [[x, v]]);
  assert.is(same, v);
  assert.equal(evaluate(twice, none), [[2, 1, -4], [0]]);
  assert.is(none.op, ops.sources.constant);
});

test("stopGradient and comparisons count as constant, blocks pass the tangent on", () => {
  const y = blockOf(() => ops.mul(ops.stopGradient(x), ops.where(ops.less(x, 0), x, ops.mul(x, 3))));
  assert.equal(evaluate(...jvp([y], [[x, v]])), [[1.5, -0.5, -12]]);
});

test("views and packs, which have no gradient, have a tangent", () => {
  const packed = ops.pack([ops.mul(x, 2), t], [0, 4], 6);
  const part = ops.view(packed, { offset: 1, shape: [2, 2] });
  assert.equal(evaluate(...jvp([part], [[x, v]])), [[1, -4, 0, 0]]);
});

test("a gradient passes what holds a tangent behind stopGradient, and the tangent itself", () => {
  const u = ops.mul(ops.sin(x), x);
  const [du] = jvp([u], [[x, v]]);
  const [held] = grad(ops.sum(ops.mul(u, ops.stopGradient(du))), [x]);
  const [whole] = grad(ops.sum(du), [x]);
  const at = Array.from(values.x);
  const [sin, cos] = [at.map(Math.sin), at.map(Math.cos)];
  const slope = at.map((each, i) => cos[i] * each + sin[i]);
  const second = at.map((each, i) => 2 * cos[i] - sin[i] * each);
  const [ofHeld, ofWhole] = evaluate(held, whole);
  assert.ok(
    largestError(
      ofHeld,
      slope.map((s, i) => s * s * values.v[i]),
    ) < 1e-6,
  );
  assert.ok(
    largestError(
      ofWhole,
      second.map((s, i) => s * values.v[i]),
    ) < 1e-6,
  );
});

test("the tangent of a product has two products, none with what stays", () => {
  const frozen = ops.input("frozen", [3, 3]);
  const y = ops.matmul(frozen, ops.reshape(x, [3, 1]));
  const before = new Set(topologicalOrder([y]));
  const added = topologicalOrder(jvp([y], [[x, v]])).filter((node) => !before.has(node));
  assert.is(added.filter(({ op }) => op.name === "matmul").length, 1);
});

test("tangents are f32 where values are kept in f16", async () => {
  const y = withStorage("f16", () => ops.mul(ops.exp(ops.mul(x, 1)), 2));
  const [dy] = jvp([y], [[x, ops.mul(v, 1e6)]]);
  assert.is(dy.storage, "f32");
  const inputs = Object.fromEntries(Object.entries(values).map(([name, each]) => [name, Float32Array.from(each)]));
  const read = await runOn(new ReferenceBackend(), { dy }, inputs);
  const expected = Array.from(values.x, (each, i) => 2e6 * Math.exp(each) * values.v[i]);
  assert.ok(largestError(read.dy, expected) < 2e-3);
});

test("refuses ops of first order only, and tangents that do not fit", () => {
  const slope = ops.normalizeGrad(x, v);
  for (const call of [
    () => jvp([slope], [[x, v]]),
    () => grad(ops.sum(jvp([ops.normalize(x)], [[x, v]])[0]), [x]), // a gradient of a tangent, which needs the second order
  ]) {
    const error = thrown(call);
    assert.is(error.code, "E_NOT_DIFFERENTIABLE");
    assert.match(error.message, /^Cannot differentiate normalizeGrad: it has no derivative$/);
  }
  const shape = thrown(() => jvp([x], [[x, t]]));
  assert.is(shape.code, "E_SHAPE");
  assert.match(shape.message, /along \[1\]: the tangent of a \[3\] must have its shape$/);
  const label = ops.input("label", [3], "i32");
  assert.is(thrown(() => jvp([x], [[label, v]])).code, "E_DTYPE");
});

test.run();
