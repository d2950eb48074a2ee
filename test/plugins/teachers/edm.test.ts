import { suite } from "uvu";
import * as assert from "uvu/assert";
import { TEACHER } from "../../../core/interfaces/mod.ts";
import { layoutOf } from "../../../core/nn/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { mlp } from "../../../plugins/networks/mlp.ts";
import { edm } from "../../../plugins/teachers/edm.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/teachers/edm");

const shape = { sample: [2], condition: {}, sigmaData: 0.7 };
const teacher = () => compose(shape, mlp({ width: 8, depth: 1 }), edm()).get(TEACHER);

test("is a well-formed plugin", () => checkPlugin(edm));

test("declares the network's parameters under their own names, and is trainable", () => {
  const { entries } = layoutOf((scope) => teacher().declare(scope));
  assert.equal(
    entries.map(({ name }) => name),
    ["net.0.weight", "net.0.bias", "out.weight", "out.bias"],
  );
  assert.ok(teacher().trainable);
});

test("D(x; σ) = cSkip·x + cOut·F: at F = 0 the best linear guess, at F = const the output scale", async () => {
  const feed = new Feed();
  const bias = [1, -2];
  const { scope } = feed.weights("", (name, size) =>
    name === "out.bias" ? bias : new Float32Array(size.reduce((a, b) => a * b, 1)),
  );
  const values = numbers([2, 2]);
  const sigmas = [0.5, 20];
  const x = feed.tensor("x", [2, 2], values);
  const D = teacher()
    .bind(scope)
    .denoise(x, feed.tensor("sigma", [2], sigmas), {});
  const result = await evaluate({ D }, feed, "f64");
  values.forEach((value, i) => {
    const [s, sd] = [sigmas[i >> 1], 0.7];
    const expected = (sd ** 2 * value) / (s ** 2 + sd ** 2) + (s * sd * bias[i % 2]) / Math.hypot(s, sd);
    assert.ok(Math.abs(result.D[i] - expected) < 1e-6, `${result.D[i]}, should be ${expected}`);
  });
});

test.run();
