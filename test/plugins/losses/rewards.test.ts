import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { grad } from "../../../core/graph/mod.ts";
import { classLabel, type Extractor, LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { frozenWeights } from "../../../core/nn/mod.ts";
import { concat, mul } from "../../../core/ops/mod.ts";
import { definePlugin } from "../../../core/plugin/mod.ts";
import { testLoss } from "../../../core/testing/mod.ts";
import * as plugins from "../../../plugins/mod.ts";
import { thrown } from "../../helpers/thrown.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/losses (reward, diversity)");
const backends = [new ReferenceBackend("f64")];

/** A scorer as a user's file has one: of points, without parameters; its feature is the point, twice as large. */
const doubled = definePlugin({
  name: "doubled",
  kind: "extractor",
  about: "points, doubled",
  options: {},
  create: (): Extractor => ({
    name: "doubled",
    reads: { channels: [], smallest: 0, vectors: [3] },
    widths: { points: 3, logits: 2 },
    bind: () => ({ features: (x) => ({ points: mul(x, 2), logits: concat([x, x], 1) }) }),
    load: async () => frozenWeights("doubled", () => {}, {}, "nothing"),
  }),
});
const scored = { extractor: "doubled" } as const;
const shape = { sample: [3], condition: classLabel(2), sigmaData: 0.5 };

test("both keep the promises of a loss, on samples and on a scorer of vectors", async () => {
  await testLoss(plugins.reward({ ...scored, channel: 1 }), { backends, plugins: [doubled()] });
  await testLoss(plugins.reward({ ...scored, objective: "class" }), { backends, plugins: [doubled()] });
  await testLoss(plugins.diversityLoss({ bound: false }), { backends, surrogate: true });
  await testLoss(plugins.diversityLoss({ ...scored, bound: false }), {
    backends,
    surrogate: true,
    plugins: [doubled()],
  });
});

/** Value of a loss and its gradient at the samples, [n, 3]. */
async function at(plugin: ReturnType<typeof plugins.reward | typeof plugins.diversityLoss>, x: number[], real = x) {
  const feed = new Feed();
  const [own, other] = [feed.tensor("x", [x.length / 3, 3], x), feed.tensor("real", [real.length / 3, 3], real)];
  const [loss] = compose(shape, doubled(), plugin).all(LOSSES);
  await loss.load?.();
  const condition = { label: feed.tensor("label", [x.length / 3], new Int32Array(x.length / 3).fill(1), "i32") };
  const value = loss.compute({
    generated: { x: own, condition },
    real: { x: other, condition },
  } as unknown as LossContext);
  return evaluate({ value, dx: grad(value, [own])[0] }, feed, "f64");
}

test("a reward is minus the mean of one number, so its gradient is even", async () => {
  const { value, dx } = await at(plugins.reward({ ...scored, channel: 2 }), [0, 0, 1, 0, 0, 3]);
  assert.is(value[0], -4);
  assert.equal([...dx], [0, 0, -1, 0, 0, -1]);
});

test("diversity: 0 for samples that are one, falls as they spread, and is content with what real ones have", async () => {
  const spread = [...numbers([6, 3])];
  const one = new Array(18).fill(0.3);
  const of = async (x: number[], bound: boolean) =>
    (await at(plugins.diversityLoss({ bound, width: 0.5 }), x, spread)).value[0];
  assert.ok(Math.abs(await of(one, false)) < 1e-6);
  const half = spread.map((each) => each / 2);
  const [near, far] = [await of(half, false), await of(spread, false)];
  assert.ok(far < near && near < 0, `${far} ${near}`);
  assert.is(await of(spread, true), 0);
  assert.ok(Math.abs((await of(half, true)) - (near - far)) < 1e-6);
  const wider = spread.map((each) => 2 * each);
  assert.is(await of(wider, true), 0, "more than real samples have is not asked for");
});

test("diversity: real samples that are one leave numbers, and one sample has no pair", async () => {
  const { value, dx } = await at(plugins.diversityLoss(), [0, 0, 1, 0, 0, 3], new Array(6).fill(0.3));
  assert.ok([...value, ...dx].every(Number.isFinite), `${value} ${dx}`);
  const error = await at(plugins.diversityLoss(), [0, 0, 1]).catch((reason) => reason);
  assert.is(error.message, "Cannot use diversity: a part of the batch has 1 sample, should have at least 2");
});

test("its gradient pushes two near samples apart", async () => {
  const { dx } = await at(plugins.diversityLoss({ bound: false }), [0, 0, 0, 0.05, 0, 0, 1, 0, 0]);
  assert.ok(dx[0] > 0 && dx[3] < 0, `${dx}`);
});

test("what is missing is said: the scorer, its feature, its weights, samples that it can read", async () => {
  const make = (plugin: Parameters<typeof at>[0], sample = [3]) =>
    thrown(() => compose({ ...shape, sample }, doubled(), plugins.vgg16(), plugin).all(LOSSES)).message;
  assert.match(make(plugins.reward()), /^Cannot configure reward: extractor is not given, it should name the scorer/);
  assert.match(
    make(plugins.reward({ ...scored, tap: "smell" })),
    /tap is smell, the extractor doubled has points, logits/,
  );
  assert.match(
    make(plugins.reward({ ...scored, channel: 3 })),
    /channel is 3, points of the extractor doubled has 3 numbers/,
  );
  assert.match(make(plugins.reward(scored), [4]), /samples are \[4\], the extractor doubled reads \[3\]/);
  assert.match(make(plugins.diversityLoss({ extractor: "vgg16" })), /reads \[1 or 3, H, W\] of 16 pixels or more/);
  const [loss] = compose(
    { ...shape, sample: [3, 16, 16] },
    plugins.vgg16(),
    plugins.diversityLoss({ extractor: "vgg16" }),
  ).all(LOSSES);
  const refused = (await loss.load!().catch((error: Error) => error)) as Error;
  assert.match(refused.message, /vgg16/);
});

test.run();
