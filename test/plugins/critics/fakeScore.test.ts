import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { placeholders } from "../../../core/diffusion/mod.ts";
import { grad } from "../../../core/graph/mod.ts";
import { CRITIC, classLabel, type DataShape } from "../../../core/interfaces/mod.ts";
import { layoutOf } from "../../../core/nn/mod.ts";
import { sum } from "../../../core/ops/mod.ts";
import type { ConfiguredPlugin } from "../../../core/plugin/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { fakeScore } from "../../../plugins/critics/fakeScore.ts";
import { fewStep } from "../../../plugins/generators/fewStep.ts";
import { adm } from "../../../plugins/networks/adm.ts";
import { mlp } from "../../../plugins/networks/mlp.ts";
import { conforms, hasGolden } from "../../helpers/golden.ts";
import { thrown } from "../../helpers/thrown.ts";
import { compose, evaluate, Feed, numbers, type Weights } from "../support.ts";

const test = suite("plugins/critics/fakeScore");

const mnist: DataShape = { sample: [1, 16, 16], condition: classLabel(10), sigmaData: 0.5 };
const points: DataShape = { sample: [2], condition: {}, sigmaData: 0.7 };
const small = adm({
  channels: 32,
  channelMult: [1, 2],
  blocks: 1,
  attention: [8],
  channelsPerHead: 32,
});

function criticOf(shape: DataShape, network: ConfiguredPlugin, critic: ConfiguredPlugin) {
  const role = compose(shape, network, critic).get(CRITIC);
  return { role, layout: layoutOf((scope) => role.declare(scope)) };
}

test("is a well-formed plugin", () => checkPlugin(fakeScore, { head: false, headWidth: 8 }));

test("image features: the recipe's head has 131,521 parameters, the ImageNet-64 one 18,879,745", () => {
  const head = (shape: DataShape, network: ConfiguredPlugin) => {
    const { layout } = criticOf(shape, network, fakeScore());
    const entries = layout.entries.filter(({ name }) => name.startsWith("cls_pred_branch."));
    assert.equal(
      entries.map(({ name }) => name.slice("cls_pred_branch.".length)),
      [0, 1, 3, 4, 6].flatMap((layer) => [`${layer}.weight`, `${layer}.bias`]),
    );
    return entries.reduce((total, { shape: size }) => total + size.reduce((a, b) => a * b, 1), 0);
  };
  assert.is(head(mnist, small), 131_521);
  assert.is(head({ sample: [3, 64, 64], condition: classLabel(1000), sigmaData: 0.5 }, adm()), 18_879_745);
});

test("a critic is told the scales that its generator learns, and begins as one that is not", () => {
  const critic = (scales: object, over: object = {}) => {
    const generator = fewStep({ guidanceScale: 1, ...scales });
    return compose(points, mlp({ width: 8, depth: 2 }), generator, fakeScore({ headWidth: 4, ...over })).get(CRITIC);
  };
  const names = (role: ReturnType<typeof critic>) =>
    layoutOf((scope) => role.declare(scope)).entries.filter(({ name }) => name.includes(".guidance.")).length;
  assert.is(names(critic({ guidanceMax: 4 })), 4);
  assert.is(names(critic({})), 0);
  const lora = { rank: 2, alpha: 2, targets: ["net.0"] };
  assert.throws(() => critic({ guidanceMax: 4 }, { lora }), /which adapters can't be told/);
});

test("rung: a critic of several steps is told the step of an image, and begins as one that is not", async () => {
  const critic = (over: object, steps: object) =>
    compose(points, mlp({ width: 8, depth: 2 }), fewStep(steps), fakeScore({ headWidth: 4, ...over })).get(CRITIC);
  const three = { sigmas: [10, 2, 0.5], drawStep: "place" };
  const names = (role: ReturnType<typeof critic>) =>
    layoutOf((scope) => role.declare(scope)).entries.filter(({ name }) => name.includes(".end.")).length;
  assert.is(names(critic({ rung: true }, three)), 4);
  assert.is(names(critic({}, three)), 0);
  // Of one step there is nothing to tell: the critic is the same as without the option.
  assert.is(names(critic({ rung: true }, { sigmas: [10] })), 0);
  const refused = thrown(() => critic({ rung: true }, { sigmas: [10, 2] }));
  assert.match(refused.message, /rung is true, and the generator's samples draw their steps/);

  const answers = async (weights: (feed: Feed, role: ReturnType<typeof critic>) => Weights) => {
    const feed = new Feed();
    const role = critic({ rung: true }, three);
    const network = role.bind(weights(feed, role).scope);
    const x = feed.tensor("x", [2, 2], [0.5, -1, 0.5, -1]);
    const sigma = feed.tensor("sigma", [2], [1, 1]);
    const rung = feed.tensor("rung", [2], [10, 0.5]);
    const told = network.discriminate(x, sigma, { rung });
    return evaluate({ told, plain: network.discriminate(x, sigma, {}) }, feed, "f64");
  };
  const fresh = await answers((feed, role) => feed.fresh("", (scope) => role.declare(scope)));
  assert.equal([...fresh.told], [...fresh.plain]);
  const learned = await answers((feed) => feed.weights("", (_, size) => numbers(size)));
  assert.ok(Math.abs(learned.told[0] - learned.told[1]) > 1e-3, "the same points from two steps are judged apart");
});

test("oblong features of odd sizes have a head too", () => {
  for (const [sample, attention] of [
    [[3, 48, 40], [24]],
    [[1, 14, 28], [7]],
  ] as const) {
    const network = adm({ channels: 32, channelMult: [1, 2], blocks: 1, attention, channelsPerHead: 32 });
    const { role } = criticOf({ sample, condition: {}, sigmaData: 0.5 }, network, fakeScore());
    const { x, sigma, condition } = placeholders({ sample, condition: {} });
    layoutOf((scope) => assert.equal(role.bind(scope).discriminate(x, sigma, condition).shape, [1, 1]));
  }
});

test("vector features: linear, SiLU, linear", () => {
  const { layout } = criticOf(points, mlp({ width: 128 }), fakeScore());
  const shapes = layout.entries.filter(({ name }) => name.startsWith("cls_pred_branch.")).map(({ shape }) => shape);
  assert.equal(shapes, [[64, 128], [64], [1, 64], [1]]);
});

test("inherits the body from the teacher, and not the head", () => {
  const { role } = criticOf(points, mlp(), fakeScore());
  assert.is(role.inherits?.("fake_unet.net.0.weight"), "net.0.weight");
  assert.is(role.inherits?.("cls_pred_branch.0.weight"), undefined);
});

test("without a head it has no parameters for one, and refuses to discriminate", () => {
  const { role, layout } = criticOf(points, mlp(), fakeScore({ head: false }));
  assert.ok(layout.entries.every(({ name }) => name.startsWith("fake_unet.")));
  const { x, sigma, condition } = placeholders(points);
  layoutOf((scope) => {
    role.declare(scope);
    assert.throws(
      () => role.bind(scope).discriminate(x, sigma, condition),
      /^Cannot discriminate with fake-score: head is false/,
    );
  });
});

test("tap: the head can read the middle blocks, which then get its gradient", () => {
  const feed = new Feed();
  const names = (tap: "encoder" | "middle") => {
    const role = compose(mnist, small, fakeScore({ tap })).get(CRITIC);
    const weights = feed.fresh(tap, (scope) => role.declare(scope));
    const { x, sigma, condition } = placeholders(mnist);
    const logit = role.bind(weights.scope).discriminate(x, sigma, condition);
    const moved = grad(sum(logit), [...weights.tensors.values()]);
    return [...weights.tensors.keys()].filter((_, i) => moved[i].attrs.value !== 0);
  };
  assert.not.ok(names("encoder").some((name) => name.includes(".dec.")));
  const decoder = names("middle").filter((name) => name.includes(".dec."));
  assert.ok(decoder.length > 0);
  assert.ok(
    decoder.every((name) => /\.dec\.8x8_in[01]\./.test(name)),
    decoder.join(),
  );
  assert.throws(() => criticOf(points, mlp(), fakeScore({ tap: "middle" })), /network has no middle blocks$/);
});

test("judge: features of another network get the head that own features get", async () => {
  const feed = new Feed();
  const role = compose(points, mlp({ width: 8, depth: 1 }), fakeScore()).get(CRITIC);
  const weights = feed.fresh("critic.", (scope) => role.declare(scope));
  const features = feed.tensor("features", [2, 8], numbers([2, 8]));
  const judged = role.bind(weights.scope).judge!(features);
  assert.equal(judged.shape, [2, 1]);
  const [body, head] = ["fake_unet.", "cls_pred_branch."].map((prefix) =>
    grad(
      sum(judged),
      [...weights.tensors].filter(([name]) => name.startsWith(prefix)).map(([, t]) => t),
    ),
  );
  assert.ok(body.every(({ attrs }) => attrs.value === 0));
  assert.ok(head.every(({ attrs }) => attrs.value !== 0));
});

for (const name of ["dmd_guidance_turn"]) {
  const check = hasGolden(name) ? test : test.skip;
  check(`${name}: losses, every gradient and their norm agree with the official code`, async () => {
    await conforms(name, new ReferenceBackend());
  });
}

test.run();
