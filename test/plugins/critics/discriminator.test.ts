import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CRITIC, classLabel, type DataShape, LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { layoutOf } from "../../../core/nn/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { discriminatorCritic } from "../../../plugins/critics/discriminator.ts";
import { fakeScore } from "../../../plugins/critics/fakeScore.ts";
import { ganGenerator } from "../../../plugins/losses/ganGenerator.ts";
import { adm } from "../../../plugins/networks/adm.ts";
import { mlp } from "../../../plugins/networks/mlp.ts";
import { thrown } from "../../helpers/thrown.ts";
import { smallExtractor } from "../metrics/smallExtractor.ts";
import { compose, Feed, numbers } from "../support.ts";

const test = suite("plugins/critics/discriminator");

const mnist: DataShape = { sample: [1, 16, 16], condition: classLabel(10), sigmaData: 0.5 };
const points: DataShape = { sample: [2], condition: {}, sigmaData: 0.7 };
const small = adm({ channels: 32, channelMult: [1, 2], blocks: 1, attention: [8], channelsPerHead: 32 });

test("is a well-formed plugin", () => checkPlugin(discriminatorCritic, { headWidth: 8 }));

test("it has the head of the critic fake-score, and nothing else", () => {
  for (const [shape, network] of [
    [mnist, small],
    [points, mlp({ width: 8, depth: 1 })],
  ] as const) {
    const [own, whole] = [discriminatorCritic(), fakeScore()].map((critic) => {
      const role = compose(shape, network, critic).get(CRITIC);
      return layoutOf((scope) => role.declare(scope)).entries.map((entry) => [entry.name, entry.shape] as const);
    });
    assert.equal(
      own,
      whole.filter(([name]) => name.startsWith("cls_pred_branch.")),
    );
  }
});

test("an extractor: the head is on its features of clean images, which the loss brings along", async () => {
  const images: DataShape = { sample: [1, 5, 5], condition: {}, sigmaData: 0.5 };
  const named = { extractor: "dinov2", tap: "pool" };
  const judge = smallExtractor("dinov2", "pool", "spatial")();
  const made = (critic: object, loss: object) =>
    compose(images, mlp({ width: 8, depth: 1 }), judge, discriminatorCritic(critic), ganGenerator(loss));
  const container = made(named, { ...named, diffused: false });
  const [loss] = container.all(LOSSES);
  await loss.load!();
  assert.is(loss.frozen!().length, 1);
  const { entries } = layoutOf((scope) => container.get(CRITIC).declare(scope));
  assert.equal(entries[0].shape, [64, 6]);

  const fails = (...options: Parameters<typeof made>) => {
    const container = made(...options);
    return thrown(() => [container.get(CRITIC), container.all(LOSSES)]).message;
  };
  assert.match(fails(named, named), /diffused is true, an extractor should see clean images/);
  assert.match(fails({ ...named, tap: "logits" }, {}), /tap is logits, the extractor dinov2 has pool, spatial/);
  assert.throws(
    () => compose(points, judge, mlp(), discriminatorCritic(named)).get(CRITIC),
    /samples are \[2\], the extractor dinov2 reads/,
  );
});

test("it starts at random, and says what it cannot do", () => {
  const container = compose(points, mlp({ width: 8, depth: 1 }), discriminatorCritic(), ganGenerator());
  const role = container.get(CRITIC);
  assert.is(role.inherits!("cls_pred_branch.0.weight"), undefined);
  const feed = new Feed();
  const critic = role.bind(feed.fresh("critic.", (scope) => role.declare(scope)).scope);
  const [x, sigma] = [feed.tensor("x", [4, 2], numbers([4, 2])), feed.tensor("sigma", [4], [1, 1, 1, 1])];
  assert.throws(
    () => critic.denoise(x, sigma, {}),
    /^Cannot denoise with the critic discriminator: it has no fake score/,
  );
  const context = { generated: { x, condition: {} }, critic, noise: feed.noise(), shared: {} };
  assert.throws(
    () => container.all(LOSSES)[0].compute(context as unknown as LossContext),
    /^Cannot discriminate with the critic discriminator: it has no encoder/,
  );
});

test.run();
