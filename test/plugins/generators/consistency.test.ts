import { suite } from "uvu";
import * as assert from "uvu/assert";
import { GENERATOR, NETWORK, type Network, TEACHER } from "../../../core/interfaces/mod.ts";
import { layoutOf } from "../../../core/nn/mod.ts";
import { mul } from "../../../core/ops/mod.ts";
import { definePlugin } from "../../../core/plugin/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { consistencyGenerator } from "../../../plugins/generators/consistency.ts";
import { mlp } from "../../../plugins/networks/mlp.ts";
import { edm } from "../../../plugins/teachers/edm.ts";
import { compose, evaluate, Feed, GivenNoise } from "../support.ts";

const test = suite("plugins/generators/consistency");

const shape = { sample: [1], condition: {}, sigmaData: 1 };

test("is a well-formed plugin", () => checkPlugin(consistencyGenerator, { sigmas: [80, 2.5] }));

test("has the teacher's parameters, and tells samplers its lowest level", () => {
  const container = compose(shape, mlp({ width: 4, depth: 1 }), edm(), consistencyGenerator());
  const [generator, teacher] = [container.get(GENERATOR), container.get(TEACHER)];
  const [own, taught] = [generator, teacher].map((role) =>
    layoutOf((scope) => role.declare(scope)).entries.map(({ name }) => name),
  );
  assert.equal(own, taught);
  assert.equal([generator.sigmas, generator.startScale, generator.floor], [[80], 80, 0.002]);
});

/** F(x) = 2x, so that EDM's D(x; σ) is (1 + 2σ) x / (1 + σ²) at σ_data 1. */
const twice = definePlugin({
  name: "twice",
  kind: "network",
  token: NETWORK,
  about: "two times x",
  options: {},
  create: (): Network => {
    const apply: Network["apply"] = (_, x) => mul(x, 2);
    return { apply, features: apply };
  },
});
const generatorOf = (sigmas: number[], sigmaMin: number) =>
  compose(shape, twice(), consistencyGenerator({ sigmas, sigmaMin })).get(GENERATOR);

test("is its input at the lowest level, and c_skip·x + c_out·F above it", async () => {
  const feed = new Feed();
  const bound = generatorOf([4], 0.5).bind(feed.weights("", () => []).scope);
  const x = feed.tensor("x", [2, 1], [3, 3]);
  const sigma = feed.tensor("sigma", [2], [0.5, 4]);
  const { out } = await evaluate({ out: bound.denoise(x, sigma, {}) }, feed, "f64");
  assert.ok(Math.abs(out[0] - 3) < 1e-6, `${out[0]}`);
  // c_in·x = 3/√17; c_skip = 1/(3.5² + 1); c_out = 3.5/√17
  const expected = 3 / (3.5 ** 2 + 1) + (3.5 / Math.sqrt(17)) * ((2 * 3) / Math.sqrt(17));
  assert.ok(Math.abs(out[1] - expected) < 1e-5, `${out[1]}, not ${expected}`);
});

test("generate: noise of the first level, in one call", async () => {
  const feed = new Feed();
  const bound = generatorOf([4, 1], 0.5).bind(feed.weights("", () => []).scope);
  const draws = () => new GivenNoise([feed.tensor("eps", [2, 1], [1, -0.25])]);
  const x = feed.tensor("x", [2, 1], [4, -1]);
  const outputs = {
    made: bound.generate(2, {}, draws()),
    expected: bound.denoise(x, feed.tensor("sigma", [2], [4, 4]), {}),
  };
  const { made, expected } = await evaluate(outputs, feed, "f64");
  for (const [i, each] of made.entries()) assert.ok(Math.abs(each - expected[i]) < 1e-5, `${each}, not ${expected[i]}`);
});

test("refuses a level that is not above the lowest, and levels that do not fall", () => {
  assert.throws(
    () => generatorOf([80, 0.002], 0.002),
    /^Cannot configure consistency: the lowest of sigmas is 0\.002 and sigmaMin is 0\.002, sigmas should be above it/,
  );
  assert.throws(() => generatorOf([1, 5], 0.002), /^Cannot configure consistency: sigmas is/);
});

test.run();
