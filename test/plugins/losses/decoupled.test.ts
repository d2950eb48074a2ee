import { suite } from "uvu";
import * as assert from "uvu/assert";
import { grad } from "../../../core/graph/mod.ts";
import { type Condition, classLabel, LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { add, mul } from "../../../core/ops/mod.ts";
import type { ConfiguredPlugin } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { rescaled } from "../../../plugins/losses/shared/guidance.ts";
import * as plugins from "../../../plugins/mod.ts";
import { thrown } from "../../helpers/thrown.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/losses (Decoupled DMD)");

const shape = { sample: [5], condition: classLabel(3), sigmaData: 0.5 };
const network = plugins.mlp({ width: 4, depth: 1, labelDropout: 0.1 });
/** Far above any distance, so that both terms and their sum are divided by the same. */
const even = { floor: 100, levels: 50, sigmaMax: 10 };

/** Says 0.3·x with a class and 0.1·x without. */
const teacher = { denoise: (x: Tensor, _: Tensor, { label }: Condition) => mul(x, label ? 0.3 : 0.1) };
const critic = { denoise: (x: Tensor, _: Tensor, { label }: Condition) => mul(x, label ? 0.25 : 0.15) };

/** Gradient at the samples and value of a loss. */
async function at(plugin: ConfiguredPlugin, roles: object = { teacher, critic }) {
  const feed = new Feed();
  const x = feed.tensor("x", [4, 5], numbers([4, 5]));
  const condition = { label: feed.tensor("label", [4], [0, 1, 2, 0]) };
  const context = { generated: { x, condition }, ...roles, noise: feed.noise(), shared: {} };
  const loss = compose(shape, network, plugin)
    .all(LOSSES)[0]
    .compute(context as unknown as LossContext);
  return evaluate({ dx: grad(loss, [x])[0], loss }, feed, "f64");
}

test("both terms together are matching to the guided teacher, where all are divided alike", async () => {
  const guidance = await at(plugins.guidanceAugmentation({ ...even, scale: 2 }));
  const matching = await at(plugins.decoupledMatching(even));
  const guided = await at(plugins.decoupledMatching({ ...even, realScale: 3 }));
  for (const [i, each] of guided.dx.entries())
    assert.ok(Math.abs(each - guidance.dx[i] - matching.dx[i]) < 1e-9, `${each}`);
});

test("a critic that knows what the teacher does leaves the samples alone, with equal guidance of both too", async () => {
  for (const options of [even, { ...even, realScale: 2, fakeScale: 2, rescale: 0.7 }]) {
    const { dx, loss } = await at(plugins.decoupledMatching(options), { teacher, critic: teacher });
    assert.is(loss[0], 0);
    assert.ok(dx.every((each) => each === 0));
  }
});

test("guidance of the critic pulls against that of the teacher", async () => {
  const gap = async (fakeScale: number) =>
    (await at(plugins.decoupledMatching({ ...even, realScale: 2, fakeScale }))).loss[0];
  assert.ok((await gap(2)) < (await gap(1)));
});

test("each term draws levels of its own: a term at low levels sees less noise", async () => {
  const of = async (over: object) => (await at(plugins.guidanceAugmentation({ ...even, scale: 1, ...over }))).loss[0];
  assert.ok((await of({ maxStep: 0.1 })) < 0.1 * (await of({ minStep: 0.9 })));
});

test("a rescaled prediction has the deviation of the one without guidance, or lies between", async () => {
  const feed = new Feed();
  const plain = feed.tensor("plain", [3, 5], numbers([3, 5]));
  const guided = add(mul(plain, 3), 1);
  const full = await evaluate({ full: rescaled(guided, plain, 1), half: rescaled(guided, plain, 0.5) }, feed, "f64");
  const deviation = (row: Float32Array) => {
    const mean = row.reduce((a, b) => a + b, 0) / row.length;
    return Math.sqrt(row.reduce((sum, each) => sum + (each - mean) ** 2, 0) / row.length);
  };
  for (const row of [0, 1, 2]) {
    const part = (of: Float32Array) => of.slice(5 * row, 5 * row + 5);
    const own = deviation(numbers([3, 5]).slice(5 * row, 5 * row + 5));
    assert.ok(Math.abs(deviation(part(full.full)) / own - 1) < 1e-5);
    assert.ok(Math.abs(deviation(part(full.half)) / own - 2) < 1e-5);
  }
});

test("is refused at the start for data or networks without a condition to go beyond", () => {
  const make = (plugin: ConfiguredPlugin, data: object = {}, net = network) =>
    thrown(() => compose({ ...shape, ...data }, net, plugin).all(LOSSES)).message;
  const plain = plugins.mlp({ width: 4, depth: 1 });
  assert.match(
    make(plugins.guidanceAugmentation(), { condition: {} }),
    /^Cannot use guidance-augmentation: .*neither texts nor classes/,
  );
  assert.match(make(plugins.guidanceAugmentation(), {}, plain), /never seen a sample without its class/);
  assert.match(make(plugins.decoupledMatching({ fakeScale: 2 }), { condition: {} }), /fakeScale is 2/);
});

test.run();
