import { suite } from "uvu";
import * as assert from "uvu/assert";
import { placeholders } from "../../../core/diffusion/mod.ts";
import { grad } from "../../../core/graph/mod.ts";
import { CRITIC, type DataShape, LOSSES } from "../../../core/interfaces/mod.ts";
import { layoutOf } from "../../../core/nn/mod.ts";
import { add, mul, sqrt, square, sum } from "../../../core/ops/mod.ts";
import { type ConfiguredPlugin, checkPlugin } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { fakeScore } from "../../../plugins/critics/fakeScore.ts";
import { fakeScoreLoss } from "../../../plugins/losses/fakeScore.ts";
import { ganDiscriminator } from "../../../plugins/losses/ganDiscriminator.ts";
import { adm } from "../../../plugins/networks/adm.ts";
import { mlp } from "../../../plugins/networks/mlp.ts";
import { hasGolden } from "../../helpers/golden.ts";
import { Dmd2Case } from "../losses/golden.ts";
import { compose, evaluate } from "../support.ts";

const test = suite("plugins/critics/fakeScore");

const mnist: DataShape = { sample: [1, 16, 16], classes: 10, sigmaData: 0.5 };
const points: DataShape = { sample: [2], classes: 0, sigmaData: 0.7 };
const small = adm({
  ...{ channels: 32, channelMult: [1, 2], blocks: 1, attention: [8], channelsPerHead: 32 },
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
  assert.is(head({ sample: [3, 64, 64], classes: 1000, sigmaData: 0.5 }, adm()), 18_879_745);
});

test("vector features: linear, SiLU, linear", () => {
  const { layout } = criticOf(points, mlp({ width: 128 }), fakeScore());
  const shapes = layout.entries
    .filter(({ name }) => name.startsWith("cls_pred_branch."))
    .map(({ shape }) => shape);
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

const check = hasGolden("dmd_guidance_turn") ? test : test.skip;
check(
  "dmd_guidance_turn: losses, every gradient and their norm agree with the official code",
  async () => {
    const official = new Dmd2Case("dmd_guidance_turn");
    const { reference } = official;
    const losses = compose(mnist, fakeScoreLoss(), ganDiscriminator()).all(LOSSES);
    const noise = official.noise(
      ["rand.fake_noise", "rand.cls_real_noise", "rand.cls_fake_noise"],
      ["rand.fake_timesteps", "rand.cls_real_timesteps", "rand.cls_fake_timesteps"],
    );
    const context = official.context({
      generated: official.images("in.fake_image", "in.fake_labels"),
      real: official.images("in.real_image", "in.real_labels"),
      noise,
    });
    const [fake, gan] = losses.map((loss) => loss.compute(context));
    const { tensors } = official.weights.critic;
    const names = [...tensors.keys()];
    const total = add(fake, mul(gan, reference.config.cls_loss_weight));
    const gradients = grad(total, [...tensors.values()]);
    const norm = sqrt(gradients.map((g) => sum(square(g))).reduce((a, b) => add(a, b)));
    const outputs = Object.fromEntries(names.map((name, i) => [name, gradients[i]]));
    const result = await evaluate<Record<string, Tensor>>(
      { ...outputs, fake, gan, norm },
      official.feed,
    );
    assert.equal(names.map((name) => `grad.${name}`).sort(), reference.names("grad."));
    reference.within(result.fake, "f64.out.loss_fake_mean");
    reference.within(result.gan, "f64.out.guidance_cls_loss");
    reference.within(result.norm, "f64.out.grad_norm");
    for (const name of names) reference.within(result[name], `grad.${name}`);
  },
);

test.run();
