import { suite } from "uvu";
import * as assert from "uvu/assert";
import { grad } from "../../../core/graph/mod.ts";
import { LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { add, constantArray } from "../../../core/ops/mod.ts";
import { checkPlugin } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { fakeScoreLoss } from "../../../plugins/losses/fakeScore.ts";
import { hasGolden } from "../../helpers/golden.ts";
import { compose, evaluate, Feed, GivenNoise, numbers } from "../support.ts";
import { Dmd2Case } from "./golden.ts";

const test = suite("plugins/losses/fakeScore");

const lossOf = () =>
  compose({ sample: [3], classes: 0, sigmaData: 0.5 }, fakeScoreLoss()).all(LOSSES)[0];

test("is a well-formed plugin", () => checkPlugin(fakeScoreLoss, { weight: 0, levels: 40 }));

test("an error of 1 everywhere costs the mean of σ⁻² + 4 = (σ² + ¼) / (σ²/4)", async () => {
  const feed = new Feed();
  const x = feed.tensor("x", [2, 3], numbers([2, 3]));
  const noise = new GivenNoise(
    [constantArray([0, 0, 0, 0, 0, 0], [2, 3])],
    [feed.tensor("index", [2], [500, 999], "i32")],
  );
  const critic = { denoise: (xt: Tensor) => add(xt, 1) };
  const context = { generated: { x, condition: {} }, critic, noise } as unknown as LossContext;
  const loss = lossOf().compute(context);
  assert.is(grad(loss, [x])[0].attrs.value, 0, "generated samples are detached");
  const lambda = (sigma: number) => (sigma ** 2 + 0.25) / (sigma * 0.5) ** 2;
  const expected = (lambda(2.52651) + lambda(80)) / 2;
  const result = await evaluate({ loss }, feed);
  assert.ok(Math.abs(result.loss[0] - expected) < 1e-5, `${result.loss[0]}, not ${expected}`);
});

const check = hasGolden("dmd_fake_loss") ? test : test.skip;
check(
  "dmd_fake_loss: loss and the gradient of every weight agree with the official code",
  async () => {
    const official = new Dmd2Case("dmd_fake_loss");
    const loss = lossOf().compute(
      official.context({
        generated: official.images("in.image", "in.labels"),
        noise: official.noise(["rand.noise"], ["rand.timesteps"]),
      }),
    );
    const { tensors } = official.weights.critic;
    const names = [...tensors.keys()];
    assert.not.ok(names.some((name) => name.startsWith("cls_pred_branch")));
    const gradients = grad(loss, [...tensors.values()]);
    const outputs = Object.fromEntries(names.map((name, i) => [name, gradients[i]]));
    const result = await evaluate<Record<string, Tensor>>({ ...outputs, loss }, official.feed);
    official.reference.within(result.loss, "f64.out.loss_fake_mean");
    for (const name of names)
      official.reference.within(result[name], `grad.${name.replace("fake_unet.", "fake.")}`);
  },
);

test.run();
