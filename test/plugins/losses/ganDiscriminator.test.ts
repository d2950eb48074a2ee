import { suite } from "uvu";
import * as assert from "uvu/assert";
import { grad } from "../../../core/graph/mod.ts";
import { LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { add, mul, reshape, sum } from "../../../core/ops/mod.ts";
import { checkPlugin } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { ganDiscriminator } from "../../../plugins/losses/ganDiscriminator.ts";
import { hasGolden } from "../../helpers/golden.ts";
import { compose, evaluate, Feed, GivenNoise, numbers } from "../support.ts";
import { Dmd2Case } from "./golden.ts";

const test = suite("plugins/losses/ganDiscriminator");

const lossOf = (options?: Parameters<typeof ganDiscriminator>[0]) =>
  compose({ sample: [3], classes: 0, sigmaData: 0.5 }, ganDiscriminator(options)).all(LOSSES)[0];

test("is a well-formed plugin", () => checkPlugin(ganDiscriminator, { diffused: false }));

/** A discriminator whose logit is bias + slope · Σx. */
function setting(slope: number) {
  const feed = new Feed();
  const bias = feed.tensor("bias", [1], [0]);
  const generated = { x: feed.tensor("fake", [4, 3], numbers([4, 3], 1)), condition: {} };
  const real = { x: feed.tensor("real", [4, 3], numbers([4, 3], 2)), condition: {} };
  const discriminate = (x: Tensor) =>
    add(reshape(mul(sum(x, { axes: [1] }), slope), [x.shape[0], 1]), bias);
  const context = { generated, real, critic: { discriminate } } as unknown as LossContext;
  return { feed, bias, generated, context };
}

test("a blind discriminator has loss 2 ln 2, and the halves of its gradient cancel", async () => {
  const { feed, bias, context } = setting(0);
  const loss = lossOf().compute({ ...context, noise: feed.noise() });
  const result = await evaluate({ loss, dBias: grad(loss, [bias])[0] }, feed);
  assert.ok(Math.abs(result.loss[0] - 2 * Math.LN2) < 1e-6);
  assert.is(result.dBias[0], 0);
});

test("generated samples get no gradient", () => {
  const { feed, generated, context } = setting(1);
  const loss = lossOf().compute({ ...context, noise: feed.noise() });
  assert.is(grad(loss, [generated.x])[0].attrs.value, 0);
});

test("real samples draw first, and each batch draws its own levels", () => {
  const { feed, context } = setting(1);
  const asked: string[] = [];
  class Watched extends GivenNoise {
    override integers(count: number, low: number, high: number) {
      asked.push(`${count} levels of ${low}…${high - 1}`);
      return feed.tensor("levels", [count], [0, 0, 0, 0], "i32");
    }
    override normalLike(x: Tensor) {
      asked.push(`noise for ${x === context.real.x ? "real" : "generated"}`);
      return x;
    }
  }
  lossOf({ maxStep: 0.5 }).compute({ ...context, noise: new Watched([]) });
  const levels = "4 levels of 0…499";
  assert.equal(asked, [levels, "noise for real", levels, "noise for generated"]);
});

const check = hasGolden("dmd_gan_clean") ? test : test.skip;
check("dmd_gan_clean: loss and every gradient agree, and the decoder gets none", async () => {
  const official = new Dmd2Case("dmd_gan_clean");
  const { reference } = official;
  const loss = lossOf({ diffused: false }).compute(
    official.context({
      generated: official.images("in.fake_image", "in.fake_labels"),
      real: official.images("in.real_image", "in.real_labels"),
      noise: official.noise([], []),
    }),
  );
  const { tensors } = official.weights.critic;
  const names = [...tensors.keys()];
  const gradients = grad(loss, [...tensors.values()]);
  const expected = (name: string) => `grad.disc.${name.replace("fake_unet.", "fake.")}`;
  assert.equal(names.map(expected).sort(), reference.names("grad.disc."));
  assert.not.ok(names.some((name) => name.includes(".dec.")));
  const outputs = Object.fromEntries(names.map((name, i) => [name, gradients[i]]));
  const result = await evaluate<Record<string, Tensor>>({ ...outputs, loss }, official.feed);
  reference.within(result.loss, "f64.out.guidance_cls_loss");
  for (const name of names) reference.within(result[name], expected(name));
});

test.run();
