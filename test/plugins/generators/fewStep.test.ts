import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { grad } from "../../../core/graph/mod.ts";
import { GENERATOR, NETWORK, type Network, TEACHER } from "../../../core/interfaces/mod.ts";
import { layoutOf } from "../../../core/nn/mod.ts";
import { mul, sum } from "../../../core/ops/mod.ts";
import { definePlugin } from "../../../core/plugin/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { fewStep } from "../../../plugins/generators/fewStep.ts";
import { mlp } from "../../../plugins/networks/mlp.ts";
import { edm } from "../../../plugins/teachers/edm.ts";
import { conforms, hasGolden } from "../../helpers/golden.ts";
import { thrown } from "../../helpers/thrown.ts";
import { compose, evaluate, Feed, GivenNoise } from "../support.ts";

const test = suite("plugins/generators/fewStep");

const shape = { sample: [1], condition: {}, sigmaData: 1 };

test("is a well-formed plugin", () => checkPlugin(fewStep, { sigmas: [80, 2.5] }));

test("declares what the teacher declares, and inherits all of it", () => {
  const container = compose(shape, mlp({ width: 4, depth: 1 }), edm(), fewStep());
  const names = (role: typeof GENERATOR | typeof TEACHER) => {
    const declared = container.get(role as typeof TEACHER);
    return layoutOf((scope) => declared.declare(scope)).entries.map(({ name }) => name);
  };
  assert.equal(names(GENERATOR), names(TEACHER));
  const generator = container.get(GENERATOR);
  assert.equal(
    names(TEACHER).map((name) => generator.inherits?.(name)),
    names(TEACHER),
  );
  assert.equal(generator.sigmas, [80]);
});

test("refuses adapters for layers that the network does not have", () => {
  const wrong = compose(shape, mlp({ depth: 1 }), fewStep({ lora: { rank: 2, targets: ["to_q", "utt"] } }));
  const { code, message } = thrown(() => layoutOf((scope) => wrong.get(GENERATOR).declare(scope)));
  assert.is(code, "E_OPTION");
  assert.is(
    message,
    "Cannot configure few-step: lora.targets are to_q, utt, no layer of the network ends so; its layers end in net.0, out",
  );
  const right = compose(shape, mlp({ depth: 1 }), fewStep({ lora: { rank: 2, targets: ["out"] } })).get(GENERATOR);
  layoutOf((scope) => right.declare(scope));
});

test("refuses levels that do not fall", () => {
  const create = () => compose(shape, mlp(), fewStep({ sigmas: [1, 5] })).get(GENERATOR);
  assert.throws(create, /^Cannot configure few-step: sigmas is \[1, 5\], should be one or more/);
});

/** F(x) = gain · x, so that D(x; σ) is (1 + σ·gain) x / (1 + σ²) at σ_data 1, with one parameter to differentiate. */
const gain = definePlugin({
  name: "gain",
  kind: "network",
  token: NETWORK,
  about: "one number times x",
  options: {},
  create: (): Network => {
    const apply: Network["apply"] = (scope, x) => mul(x, scope.parameter("gain", [1], { kind: "constant", value: 2 }));
    return { apply, features: apply };
  },
});
const D = (x: number, sigma: number, a = 2) => ((1 + sigma * a) * x) / (1 + sigma ** 2);

function generate(sigmas: number[], draws: (feed: Feed) => GivenNoise) {
  const feed = new Feed();
  const weights = feed.weights("", () => [2]);
  const generator = compose(shape, gain(), fewStep({ sigmas })).get(GENERATOR);
  const x = generator.bind(weights.scope).generate(3, {}, draws(feed));
  const [dGain] = grad(sum(x), [weights.tensors.get("gain")!]);
  return evaluate({ x, dGain }, feed, "f64");
}
const close = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual}, should be ${expected}`);

test("one level: x = D(σ·ε; σ), differentiable", async () => {
  const eps = [1, -0.5, 2];
  const { x, dGain } = await generate([4], (feed) => new GivenNoise([feed.tensor("e", [3, 1], eps)]));
  for (const [i, each] of eps.entries()) close(x[i], D(4 * each, 4));
  close(
    dGain[0],
    eps.reduce((total, each) => total + (4 * 4 * each) / 17, 0),
  );
});

test("several levels: each sample takes its rung of the simulation, and only its last call has a gradient", async () => {
  const eps = [
    [1, -0.5, 2],
    [0.3, 0.1, -1],
    [0.7, 1.5, -0.2],
  ];
  const sigmas = [4, 1, 0.5];
  const { x, dGain } = await generate(sigmas, (feed) => {
    const normals = eps.map((each, i) => feed.tensor(`e${i}`, [3, 1], each));
    return new GivenNoise(normals, [feed.tensor("rung", [3], [2, 0, 1], "i32")]);
  });
  const input = (b: number, rung: number): number =>
    rung === 0 ? 4 * eps[0][b] : D(input(b, rung - 1), sigmas[rung - 1]) + sigmas[rung] * eps[rung][b];
  let expected = 0;
  [2, 0, 1].forEach((rung, b) => {
    close(x[b], D(input(b, rung), sigmas[rung]));
    expected += (sigmas[rung] * input(b, rung)) / (1 + sigmas[rung] ** 2);
  });
  close(dGain[0], expected);
});

test("real inputs: later steps start from noised real samples, the first from noise", async () => {
  const eps = [
    [1, -0.5, 2],
    [0.3, 0.1, -1],
  ];
  const real = [0.5, -1, 2];
  const feed = new Feed();
  const weights = feed.weights("", () => [2]);
  const container = compose(shape, gain(), fewStep({ sigmas: [4, 0.5], inputs: "real" }));
  const generator = container.get(GENERATOR).bind(weights.scope);
  assert.ok(generator.startsFromReal);
  const normals = eps.map((each, i) => feed.tensor(`e${i}`, [3, 1], each));
  const noise = new GivenNoise(normals, [feed.tensor("rung", [3], [1, 0, 1], "i32")]);
  const images = { x: feed.tensor("real", [3, 1], real), condition: {} };
  const { x } = await evaluate({ x: generator.generate(3, {}, noise, images) }, feed, "f64");
  close(x[0], D(real[0] + 0.5 * eps[1][0], 0.5));
  close(x[1], D(4 * eps[0][1], 4));
  close(x[2], D(real[2] + 0.5 * eps[1][2], 0.5));
});

test("drawStep place: samples take the steps in turn, and whoever asks is told their levels", async () => {
  const feed = new Feed();
  const weights = feed.weights("", () => [2]);
  const generator = compose(shape, gain(), fewStep({ sigmas: [4, 1], drawStep: "place" })).get(GENERATOR);
  const ones = [1, 1].map((value, i) => feed.tensor(`e${i}`, [3, 1], [value, value, value]));
  const x = generator.bind(weights.scope).generate(3, {}, new GivenNoise(ones));
  const found = await evaluate({ x, rungs: generator.rungs!(3) }, feed, "f64");
  assert.equal([...found.rungs], [4, 1, 4]);
  for (const i of [0, 2]) close(found.x[i], D(4, 4));
  close(found.x[1], D(D(4, 4) + 1, 1));
});

test("drawStep batch: one step for all samples", async () => {
  const feed = new Feed();
  const weights = feed.weights("", () => [2]);
  const container = compose(shape, gain(), fewStep({ sigmas: [4, 1, 0.5], drawStep: "batch" }));
  const generator = container.get(GENERATOR).bind(weights.scope);
  const ones = [1, 1, 1].map((value, i) => feed.tensor(`e${i}`, [3, 1], [value, value, value]));
  const noise = new GivenNoise(ones, [feed.tensor("rung", [1], [1], "i32")]);
  const { x } = await evaluate({ x: generator.generate(3, {}, noise) }, feed, "f64");
  for (const each of x) close(each, D(D(4, 4) + 1, 1));
});

const check = hasGolden("dmd_generator_turn") ? test : test.skip;
check("dmd_generator_turn: images, losses and every gradient agree with the official code", async () => {
  await conforms("dmd_generator_turn", new ReferenceBackend());
});

test.run();
