import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { type Denoiser, LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { mul } from "../../../core/ops/mod.ts";
import { checkPlugin } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { edmDenoising } from "../../../plugins/losses/edmDenoising.ts";
import { conforms, goldenNames } from "../../helpers/golden.ts";
import { compose, evaluate, Feed, GivenNoise } from "../support.ts";

const test = suite("plugins/losses/edmDenoising");

test("is a well-formed plugin", () => checkPlugin(edmDenoising, { pMean: -0.4, pStd: 1 }));

test("trains the teacher, on real data", async () => {
  const feed = new Feed();
  const [loss] = compose({ sample: [1], classes: 0, sigmaData: 0.5 }, edmDenoising()).all(LOSSES);
  assert.is(loss.role, "teacher");
  const x = feed.tensor("x", [1, 1], [0.3]);
  // ln σ = −1.2 + 1.2·1 = 0: σ = 1, x_t = 0.3 − 2, λ = 5; D = 2·x_t
  const noise = new GivenNoise([feed.tensor("n", [1], [1]), feed.tensor("e", [1, 1], [-2])]);
  const context = {
    real: { x, condition: {} },
    teacher: { denoise: (xt: Tensor) => mul(xt, 2) },
    noise,
  } as unknown as LossContext;
  const { value } = await evaluate({ value: loss.compute(context) }, feed, "f64");
  assert.ok(Math.abs(value[0] - 5 * (2 * -1.7 - 0.3) ** 2) < 1e-5, `${value[0]}`);
});

test("asks the teacher with its draws, so that dropout can act", async () => {
  const feed = new Feed();
  const noise = feed.noise();
  let dropout: unknown;
  const denoise: Denoiser["denoise"] = (x, _, condition) => {
    dropout = condition.dropout;
    return x;
  };
  const [loss] = compose({ sample: [1], classes: 0, sigmaData: 0.5 }, edmDenoising()).all(LOSSES);
  const x = feed.tensor("x", [1, 1], [0.3]);
  loss.compute({ real: { x, condition: {} }, teacher: { denoise }, noise } as never);
  assert.is(dropout, noise);
});

for (const name of goldenNames("edm_loss"))
  test(`${name}: loss and the gradient of every weight agree with NVlabs/edm`, async () => {
    await conforms(name, new ReferenceBackend());
  });

test.run();
