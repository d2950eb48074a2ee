import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { grad } from "../../../core/graph/mod.ts";
import { type Condition, LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { add, mul, reshape, sum } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { ganDiscriminator } from "../../../plugins/losses/ganDiscriminator.ts";
import { conforms, hasGolden } from "../../helpers/golden.ts";
import { compose, evaluate, Feed, GivenNoise, numbers } from "../support.ts";

const test = suite("plugins/losses/ganDiscriminator");

const lossOf = (options?: Parameters<typeof ganDiscriminator>[0]) =>
  compose({ sample: [3], condition: {}, sigmaData: 0.5 }, ganDiscriminator(options)).all(LOSSES)[0];

/** A discriminator whose logit is bias + slope · Σx. */
function setting(slope: number) {
  const feed = new Feed();
  const bias = feed.tensor("bias", [1], [0]);
  const generated = { x: feed.tensor("fake", [4, 3], numbers([4, 3], 1)), condition: {} };
  const real = { x: feed.tensor("real", [4, 3], numbers([4, 3], 2)), condition: {} };
  const discriminate = (x: Tensor) => add(reshape(mul(sum(x, { axes: [1] }), slope), [x.shape[0], 1]), bias);
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

test("real samples are told the scales of the generated ones in their places", () => {
  const { feed, context } = setting(1);
  const guidance = feed.tensor("w", [4], [1, 2, 3, 4]);
  const told: Condition[] = [];
  const discriminate = (x: Tensor, _: Tensor, condition: Condition) => {
    told.push(condition);
    return reshape(sum(x, { axes: [1] }), [x.shape[0], 1]);
  };
  const generated = { ...context.generated, condition: { guidance } };
  lossOf().compute({ ...context, generated, critic: { discriminate }, noise: feed.noise() } as unknown as LossContext);
  assert.equal(told[0].guidance?.shape, [8]);
  assert.equal(told[0].guidance?.inputs, [guidance, guidance]);
});

test("hinge: logits beyond ±1 on the right side cost nothing", async () => {
  const feed = new Feed();
  // The logit is the sample's sum: real samples at 3, generated ones at −3, then the other way round.
  const high = { x: feed.tensor("high", [2, 3], [1, 1, 1, 1, 1, 1]), condition: {} };
  const low = { x: feed.tensor("low", [2, 3], [-1, -1, -1, -1, -1, -1]), condition: {} };
  const discriminate = (x: Tensor) => reshape(sum(x, { axes: [1] }), [x.shape[0], 1]);
  const of = (real: typeof high, generated: typeof high) =>
    lossOf({ diffused: false, objective: "hinge" }).compute({
      real,
      generated,
      critic: { discriminate },
      noise: feed.noise(),
    } as unknown as LossContext);
  const { right, wrong } = await evaluate({ right: of(high, low), wrong: of(low, high) }, feed);
  assert.is(right[0], 0);
  assert.is(wrong[0], 8);
});

test("r1: the penalty is the squared change of the logit under noise, s²·|∇l|² on average", async () => {
  const feed = new Feed();
  const real = { x: feed.tensor("real", [2000, 3], numbers([2000, 3])), condition: {} };
  const discriminate = (x: Tensor) => mul(reshape(sum(x, { axes: [1] }), [x.shape[0], 1]), 0.5);
  const of = (r1: number) =>
    lossOf({ diffused: false, r1, r1Sigma: 0.2 }).compute({
      real,
      generated: real,
      critic: { discriminate },
      noise: feed.noise(),
    } as unknown as LossContext);
  const { plain, penalised } = await evaluate({ plain: of(0), penalised: of(10) }, feed);
  // ∇l = ½ in each of three dimensions: 10 · 0.2² · 3/4 = 0.3, with a relative spread of √(2/2000).
  assert.ok(Math.abs(penalised[0] - plain[0] - 0.3) < 0.04, `${penalised[0] - plain[0]}`);
});

for (const name of ["dmd_gan_clean", "dmd_gan_diffusion"]) {
  const check = hasGolden(name) ? test : test.skip;
  check(`${name}: logits, features, losses and every gradient agree with the official code`, async () => {
    await conforms(name, new ReferenceBackend());
  });
}

test.run();
