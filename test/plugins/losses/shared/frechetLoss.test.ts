import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import { WasmBackend } from "../../../../backends/wasm/mod.ts";
import { grad } from "../../../../core/graph/mod.ts";
import type { Tensor } from "../../../../core/tensor/mod.ts";
import { evaluateOn, Feed } from "../../../../core/testing/mod.ts";
import {
  frechetOfFeatures,
  nuclearNorm,
  referenceMoments,
  tracedRoot,
} from "../../../../plugins/losses/shared/frechetLoss.ts";

const test = suite("plugins/losses/shared/frechetLoss");

/** Value and gradient of f at x. */
async function evaluate(f: (x: Tensor) => Tensor, shape: readonly number[], x: readonly number[], wasm = false) {
  const feed = new Feed();
  const input = feed.tensor("x", [...shape], x);
  const value = f(input);
  const backend = wasm ? await WasmBackend.open() : new ReferenceBackend("f64");
  const results = await evaluateOn(backend, { value, gradient: grad(value, [input])[0] }, feed);
  await backend.close?.();
  return { value: results.value[0], gradient: [...results.gradient] };
}

const near = (actual: number, expected: number, tolerance: number) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} should be ${expected}`);

// Rank 1: a·bᵀ with |a| = 3, |b| = 5 has one singular value, 15, and the polar factor a·bᵀ/15.
const rankOne = [1, 2, 2].flatMap((a) => [a * 3, a * 4]);

test("a nuclear norm of deficient rank has the gradient of the rank it has, tall and wide", async () => {
  for (const wasm of [false, true])
    for (const shape of [
      [3, 2],
      [2, 3],
    ]) {
      const x = shape[0] === 3 ? rankOne : [0, 1].flatMap((j) => [0, 1, 2].map((i) => rankOne[2 * i + j]));
      const { value, gradient } = await evaluate(nuclearNorm, shape, x, wasm);
      near(value, 15, 1e-4);
      for (const [i, each] of gradient.entries()) near(each, x[i] / 15, 1e-4);
    }
});

test("the root of a matrix without full rank: its value is exact, and a zero direction that nothing moves stays finite", async () => {
  for (const wasm of [false, true]) {
    const { value, gradient } = await evaluate(tracedRoot, [3, 3], [4, 0, 0, 0, 9, 0, 0, 0, 0], wasm);
    near(value, 5, 1e-3);
    near(gradient[0], 1 / 4, 1e-4);
    near(gradient[4], 1 / 6, 1e-4);
    assert.ok(gradient.every(Number.isFinite));
  }
});

test("with fewer samples than features the gradient is that of differences", async () => {
  const [n, d] = [3, 5];
  const covariance = Array.from({ length: d * d }, (_, k) => (k % (d + 1) === 0 ? 1 + k / 20 : 0.1));
  const reference = referenceMoments([0.1, -0.2, 0.3, 0, 0.5], covariance);
  const x = Array.from({ length: n * d }, (_, i) => Math.sin(3 * i + 1));
  const distance = (features: Tensor) => frechetOfFeatures(features, reference);
  const { gradient } = await evaluate(distance, [n, d], x);
  const step = 1e-3;
  for (const i of [0, 4, 8, 14]) {
    const at = async (by: number) =>
      (
        await evaluate(
          distance,
          [n, d],
          x.map((v, j) => (j === i ? v + by : v)),
        )
      ).value;
    near(gradient[i], ((await at(step)) - (await at(-step))) / (2 * step), 1e-3);
  }
  const device = await evaluate(distance, [n, d], x, true);
  for (const [i, each] of device.gradient.entries()) near(each, gradient[i], 1e-4);
});

test("features with the reference's own moments are at distance 0", async () => {
  const x = [1, 0, -1, 0, 0, 1, 0, -1];
  const reference = referenceMoments([0, 0], [2 / 3, 0, 0, 2 / 3]);
  const { value, gradient } = await evaluate((f) => frechetOfFeatures(f, reference), [4, 2], x);
  near(value, 0, 1e-6);
  for (const each of gradient) near(each, 0, 1e-6);
});

test("a covariance of another size is refused", () => {
  assert.throws(() => referenceMoments([0, 0], [1]), /covariance of 1 numbers: should be 4/);
});

test.run();
