import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { grad } from "../../../core/graph/mod.ts";
import { LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { add, constantArray } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { fakeScoreLoss } from "../../../plugins/losses/fakeScore.ts";
import { conforms, hasGolden } from "../../helpers/golden.ts";
import { compose, evaluate, Feed, GivenNoise, numbers } from "../support.ts";

const test = suite("plugins/losses/fakeScore");

const lossOf = () => compose({ sample: [3], condition: {}, sigmaData: 0.5 }, fakeScoreLoss()).all(LOSSES)[0];

test("an error of 1 everywhere costs the mean of σ⁻² + 4 = (σ² + ¼) / (σ²/4)", async () => {
  const feed = new Feed();
  const x = feed.tensor("x", [2, 3], numbers([2, 3]));
  const noise = new GivenNoise(
    [constantArray([0, 0, 0, 0, 0, 0], [2, 3])],
    [feed.tensor("index", [2], [500, 999], "i32")],
  );
  const critic = { denoise: (xt: Tensor) => add(xt, 1) };
  const shared: LossContext["shared"] = {};
  const generated = { x, condition: {} };
  const context = { generated, critic, noise, shared } as unknown as LossContext;
  const loss = lossOf().compute(context);
  assert.equal(shared.draw?.sigma.shape, [2], "later losses of the turn find its draw");
  assert.is(grad(loss, [x])[0].attrs.value, 0, "generated samples are detached");
  const lambda = (sigma: number) => (sigma ** 2 + 0.25) / (sigma * 0.5) ** 2;
  const expected = (lambda(2.52651) + lambda(80)) / 2;
  const result = await evaluate({ loss }, feed);
  assert.ok(Math.abs(result.loss[0] - expected) < 1e-5, `${result.loss[0]}, not ${expected}`);
});

test("target: λ makes the error of D that of a network which predicts x0, ε, v or the flow", async () => {
  const sigma = 2.5265097; // level 500 of the grid
  const x = [0.3, -0.7, 0.2];
  const eps = [1.1, 0.4, -0.5];
  const error = 0.25;
  // What each network would predict, from x and ε, and from a denoised x that is off by `error` at the same x_t.
  const predictions: Record<string, (x: number, eps: number) => number> = {
    x0: (x0) => x0,
    eps: (_, e) => e,
    v: (x0, e) => (e - sigma * x0) / Math.hypot(1, sigma),
    flow: (x0, e) => e - x0,
  };
  for (const [target, predict] of Object.entries(predictions)) {
    const feed = new Feed();
    const noise = new GivenNoise([feed.tensor("eps", [1, 3], eps)], [feed.tensor("index", [1], [500], "i32")]);
    const fixed = feed.tensor("x", [1, 3], x);
    const critic = { denoise: () => add(fixed, error) };
    const loss = compose({ sample: [3], condition: {}, sigmaData: 0.5 }, fakeScoreLoss({ target: target as "x0" }))
      .all(LOSSES)[0]
      .compute({
        generated: { x: fixed, condition: {} },
        critic,
        noise,
        shared: {},
      } as unknown as LossContext);
    const expected =
      x.reduce((total, x0, i) => {
        const xt = x0 + sigma * eps[i];
        const guess = predict(x0 + error, (xt - x0 - error) / sigma);
        return total + (guess - predict(x0, eps[i])) ** 2;
      }, 0) / 3;
    const result = await evaluate({ loss }, feed);
    assert.ok(Math.abs(result.loss[0] - expected) < 1e-5 * expected, `${target}: ${result.loss[0]}`);
  }
});

for (const name of ["dmd_fake_loss"]) {
  const check = hasGolden(name) ? test : test.skip;
  check(`${name}: loss, estimate and the gradient of every weight agree with the official code`, async () => {
    await conforms(name, new ReferenceBackend());
  });
}

test.run();
