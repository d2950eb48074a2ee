// The kit's test of networks is seen to fail.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { NETWORK, type Network } from "../../../core/interfaces/mod.ts";
import { linear, type Scope, sinusoid } from "../../../core/nn/mod.ts";
import { add, concat, mul, reshape, silu, stopGradient, takeRows } from "../../../core/ops/mod.ts";
import { definePlugin } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { testNetwork } from "../../../core/testing/mod.ts";
import { backends, problemsOf } from "./problems.ts";

const test = suite("core/testing/testNetwork");

const start = { kind: "normal", deviation: 1 } as const;
const embedded = (scope: Scope, label: Tensor | undefined, x: Tensor) =>
  label ? takeRows(scope.parameter("label", [2, 3], start), label) : mul(x, 0);
const features: Network["features"] = (scope, x, cNoise, { label }) =>
  silu(linear(scope.at("in"), concat([add(x, embedded(scope, label, x)), sinusoid(cNoise, [1])], 1), 4));
const apply: Network["apply"] = (scope, ...inputs) => linear(scope.at("out"), features(scope, ...inputs), 3);

/** Two layers, with a mistake or without. */
const problems = (mistake: Partial<Network> = {}) => {
  const plugin = definePlugin({
    name: "layers",
    kind: "network",
    token: NETWORK,
    about: "Two layers",
    options: {},
    create: (): Network => ({ features, apply, ...mistake }),
  });
  return problemsOf(testNetwork(plugin(), { backends }));
};

test("a sound network passes", async () => assert.is(await problems(), ""));

test("names that do not repeat, or come twice", async () => {
  let made = 0;
  const unstable: Network["apply"] = (scope, ...inputs) =>
    linear(scope.at(`out${made++}`), features(scope, ...inputs), 3);
  assert.match(
    await problems({ apply: unstable }),
    /parameter out\d\.weight \[3, 4\] .* is another one in the next trace/,
  );
  const twice: Network["apply"] = (scope, ...inputs) =>
    add(apply(scope, ...inputs), linear(scope.at("out"), features(scope, ...inputs), 3));
  assert.match(await problems({ apply: twice }), "it asks for parameter label twice");
  const batched: Network["apply"] = (scope, x, ...rest) =>
    mul(apply(scope, x, ...rest), scope.parameter("gain", [x.shape[0], 1], start));
  assert.match(await problems({ apply: batched }), "it asks for gain [2, 1] only for another batch");
});

test("results of another shape", async () => {
  const flat: Network["apply"] = (scope, ...inputs) => reshape(apply(scope, ...inputs), [-1]);
  assert.match(await problems({ apply: flat }), "its result is [6], should be [2, 3] as x is");
  const one: Network["features"] = (scope, ...inputs) => reshape(features(scope, ...inputs), [1, -1]);
  assert.match(await problems({ features: one }), "its features is [1, 8], should be [2, …] for 2 samples");
});

test("a condition or a level that it does not read, or cannot do without", async () => {
  const deaf: Network["apply"] = (scope, x, cNoise) => apply(scope, x, cNoise, {});
  assert.match(
    await problems({ apply: deaf }),
    "its result does not depend on label; its result does not depend on the absence of label",
  );
  const level: Network["apply"] = (scope, x, cNoise, c) => apply(scope, x, mul(cNoise, 0), c);
  assert.match(await problems({ apply: level }), "its result does not depend on the level");
  const needy: Network["apply"] = (scope, x, cNoise, { label }) => apply(scope, x, cNoise, { label: add(label!, 0) });
  assert.match(await problems({ apply: needy }), "it cannot be applied: ");
});

test("a gradient that is cut off, and numbers that are none", async () => {
  const cut: Network["apply"] = (scope, x, ...rest) => {
    const result = apply(scope, x, ...rest);
    return mul(result, stopGradient(result));
  };
  assert.match(await problems({ apply: cut }), /its gradient is \d\.\de-[12] from finite differences/);
  const infinite: Network["apply"] = (scope, ...inputs) => mul(apply(scope, ...inputs), 1e300 * 1e300);
  assert.match(await problems({ apply: infinite }), "a result or a gradient is not finite");
});

test.run();
