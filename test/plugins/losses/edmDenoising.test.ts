import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { type Denoiser, DROPOUT, LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { mul, reshape } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { edmDenoising } from "../../../plugins/losses/edmDenoising.ts";
import { conforms, goldenNames } from "../../helpers/golden.ts";
import { moments } from "../../helpers/moments.ts";
import { thrown } from "../../helpers/thrown.ts";
import { compose, evaluate, Feed, GivenNoise } from "../support.ts";

const test = suite("plugins/losses/edmDenoising");

test("trains the teacher, on real data", async () => {
  const feed = new Feed();
  const [loss] = compose({ sample: [1], condition: {}, sigmaData: 0.5 }, edmDenoising()).all(LOSSES);
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
    dropout = condition[DROPOUT];
    return x;
  };
  const [loss] = compose({ sample: [1], condition: {}, sigmaData: 0.5 }, edmDenoising()).all(LOSSES);
  const x = feed.tensor("x", [1, 1], [0.3]);
  loss.compute({ real: { x, condition: {} }, teacher: { denoise }, noise } as never);
  assert.is(dropout, noise);
});

/** The levels and the draws of noise at which a loss asks the teacher. */
async function drawn(options: Parameters<typeof edmDenoising>[0], count = 2048) {
  const feed = new Feed();
  let asked: Tensor[] = [];
  const denoise: Denoiser["denoise"] = (xt, sigma) => {
    asked = [xt, sigma];
    return xt;
  };
  const [loss] = compose({ sample: [1], condition: {}, sigmaData: 0.5 }, edmDenoising(options)).all(LOSSES);
  const x = feed.tensor("x", [count, 1], new Float32Array(count));
  loss.compute({ real: { x, condition: {} }, teacher: { denoise }, noise: feed.noise(9) } as never);
  const [xt, sigma] = asked;
  return evaluate({ xt, sigma }, feed);
}

test("by default draws as NoiseSource.logNormal does, to the bit, and so the noise after it", async () => {
  const feed = new Feed();
  const noise = feed.noise(9);
  const sigma = noise.logNormal(2048, -1.2, 1.2);
  const xt = mul(reshape(sigma, [2048, 1]), noise.normal([2048, 1]));
  assert.equal(await drawn({}), await evaluate({ xt, sigma }, feed));
});

test("levels: the four distributions, within four standard errors and their bounds", async () => {
  const log = Math.log;
  const time = (sigma: number) => sigma / (1 + sigma);
  type Case = [Parameters<typeof edmDenoising>[0], (sigma: number) => number, number, number];
  const cases: Case[] = [
    [{ pMean: 0.5, pStd: 0.7 }, log, 0.5, 0.7],
    [{ levels: "log-uniform" }, log, log(2) / 2, log(5000) / Math.sqrt(12)],
    [{ levels: "logit-normal" }, (sigma) => log(time(sigma) / (1 - time(sigma))), 0, 1],
    [{ levels: "logit-normal", logitMean: -1, logitStd: 0.5 }, log, -1, 0.5],
    [{ levels: "uniform-time" }, time, 0.5, 0.998 / Math.sqrt(12)],
    [{ levels: "uniform-time", timeMin: 0.2, timeMax: 0.6 }, time, 0.4, 0.4 / Math.sqrt(12)],
  ];
  for (const [options, read, centre, spread] of cases) {
    const values = Array.from((await drawn(options)).sigma, read);
    const { mean, variance } = moments(values);
    const error = (4 * spread) / Math.sqrt(values.length);
    assert.ok(Math.abs(mean - centre) < error, `${JSON.stringify(options)}: mean ${mean}`);
    assert.ok(Math.abs(Math.sqrt(variance) - spread) < error, `spread ${Math.sqrt(variance)}`);
  }
  const { sigma } = await drawn({ levels: "log-uniform", sigmaMin: 1, sigmaMax: 3 });
  assert.ok(Math.min(...sigma) > 1 - 1e-6 && Math.max(...sigma) < 3 + 1e-6);
});

test("shift is a factor on the levels of any distribution", async () => {
  for (const levels of ["log-normal", "uniform-time"] as const) {
    const { sigma } = await drawn({ levels }, 64);
    const moved = await drawn({ levels, shift: 3 }, 64);
    moved.sigma.forEach((each, i) => {
      assert.ok(Math.abs(each / sigma[i] - 3) < 1e-5, `${each} of ${sigma[i]}`);
    });
  }
});

test("refuses bounds that do not rise, and only those of the distribution in use", () => {
  const create = (options: Parameters<typeof edmDenoising>[0]) =>
    compose({ sample: [1], condition: {}, sigmaData: 0.5 }, edmDenoising(options)).all(LOSSES);
  const crossed = { sigmaMin: 3, sigmaMax: 2, timeMin: 0.5, timeMax: 0.5 };
  const levels = thrown(() => create({ levels: "log-uniform", ...crossed }));
  assert.is(levels.code, "E_OPTION");
  assert.is(
    levels.message,
    "Cannot configure edm-denoising: sigmaMin is 3 and sigmaMax 2, sigmaMin should be the lower",
  );
  const times = thrown(() => create({ levels: "uniform-time", ...crossed }));
  assert.match(times.message, "timeMin is 0.5 and timeMax 0.5, timeMin should be the lower");
  assert.is(create(crossed).length, 1);
  assert.match(thrown(() => edmDenoising({ timeMax: 1 })).message, /timeMax .*\(0, 0\.9999\].* 1$/);
});

for (const name of goldenNames("edm_loss"))
  test(`${name}: loss and the gradient of every weight agree with NVlabs/edm`, async () => {
    await conforms(name, new ReferenceBackend());
  });

test.run();
