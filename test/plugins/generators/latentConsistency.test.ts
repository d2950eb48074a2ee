import { suite } from "uvu";
import * as assert from "uvu/assert";
import { discreteTable } from "../../../core/diffusion/mod.ts";
import { type Condition, GENERATOR, NETWORK, type Network } from "../../../core/interfaces/mod.ts";
import { add, mul, reshape } from "../../../core/ops/mod.ts";
import { definePlugin } from "../../../core/plugin/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { latentConsistencyGenerator } from "../../../plugins/generators/latentConsistency.ts";
import { discrete } from "../../../plugins/processes/discrete.ts";
import { compose, evaluate, Feed } from "../support.ts";

const test = suite("plugins/generators/latentConsistency");

test("is a well-formed plugin", () =>
  checkPlugin(latentConsistencyGenerator, { timesteps: [999, 499], guidanceScale: 7, guidanceMax: 16 }));

const shape = { sample: [1], condition: {}, sigmaData: 1 };

/** Predicts the noise 0.1·x_t, and the scale of guidance it is told. */
const told = definePlugin({
  name: "told",
  kind: "network",
  token: NETWORK,
  about: "a tenth of x and the scale of guidance",
  options: {},
  create: (): Network => {
    const apply: Network["apply"] = (_, x, _cNoise, { guidance }) =>
      guidance ? add(mul(x, 0.1), reshape(guidance, x.shape)) : mul(x, 0.1);
    return { apply, features: apply };
  },
});

async function said(options: object, condition: (feed: Feed) => Condition = () => ({})) {
  const feed = new Feed();
  const { bind } = compose(shape, discrete(), told(), latentConsistencyGenerator(options)).get(GENERATOR);
  const { sigmas } = discreteTable();
  const x = feed.tensor("x", [2, 1], [3, 3]);
  const sigma = feed.tensor("sigma", [2], [sigmas[0], sigmas[499]]);
  const bound = bind(feed.weights("", () => []).scope);
  return (await evaluate({ out: bound.denoise(x, sigma, condition(feed)) }, feed, "f64")).out;
}

test("is the model's own input at timestep 0, and its prediction far above", async () => {
  const { alphasCumprod, sigmas } = discreteTable();
  const out = await said({ timesteps: [999] });
  assert.ok(Math.abs(out[0] - 3 * Math.sqrt(alphasCumprod[0])) < 1e-5, `${out[0]}`);
  const predicted = 3 - sigmas[499] * 0.1 * 3 * Math.sqrt(alphasCumprod[499]);
  assert.ok(Math.abs(out[1] - predicted) < 1e-4, `${out[1]}, not ${predicted}`);
});

test("guidance: without the option the network is told no scale; with it that of the condition, or its own", async () => {
  const asked = (feed: Feed) => ({ guidance: feed.tensor("w", [2], [2, 2]) });
  assert.equal(await said({}, asked), await said({}));
  assert.equal(
    await said({ guidanceScale: 2, guidanceMax: 5 }),
    await said({ guidanceScale: 5, guidanceMax: 5 }, asked),
  );
  assert.not.equal(await said({ guidanceScale: 2, guidanceMax: 2 }), await said({}));
});

test.run();
