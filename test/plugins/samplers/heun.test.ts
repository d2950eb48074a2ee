import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type GaussianMixture, mixtureDenoiser } from "../../../core/diffusion/mod.ts";
import { SAMPLER } from "../../../core/interfaces/mod.ts";
import { mul, reshape, slice } from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import { heun } from "../../../plugins/samplers/heun.ts";
import { eulerStep } from "../../../plugins/samplers/shared/rules.ts";
import { type GoldenCase, golden, hasGolden } from "../../helpers/golden.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";
import { trace } from "./run.ts";

const test = suite("plugins/samplers/heun");

const samplerOf = (options?: Parameters<typeof heun>[0]) =>
  compose({ sample: [2], condition: {}, sigmaData: 0.5 }, heun(options)).get(SAMPLER);

test("without churn: steps − 1 Heun steps and an Euler step to 0, no noise", () => {
  const { steps, sigmaMax } = samplerOf({ steps: 4 });
  assert.equal(
    steps.map(({ rule }) => rule.name),
    ["heunStep", "heunStep", "heunStep", "eulerStep"],
  );
  assert.is(sigmaMax, 80);
  assert.is(steps[3].values.keep, 0);
  assert.equal(
    samplerOf({ steps: 1 }).steps.map(({ rule }) => rule),
    [eulerStep],
  );
});

test("churn acts between churnMin and churnMax only, and raises a level by √2 at most", () => {
  const { steps } = samplerOf({ steps: 5, churn: 40, churnMin: 0.01, churnMax: 1, rho: 5 });
  for (const { rule, values } of steps) {
    assert.is(/after churn/.test(rule.name), "rise" in values);
    if ("rise" in values) assert.ok(values.sigma > 0.01 * Math.SQRT2 && values.sigma <= Math.SQRT2);
  }
  assert.ok(steps.some(({ rule }) => rule.name === "heunStep after churn"));
});

test("takes a Gaussian to a Gaussian: N(0, s²) samples have the right scale, 2N − 1 calls", async () => {
  const feed = new Feed();
  const deviation = 0.5;
  const denoiser = mixtureDenoiser({ means: [[0]], deviations: [deviation], weights: [1] });
  const eps = feed.tensor("eps", [6, 1], numbers([6, 1]));
  const sampler = samplerOf({ steps: 40, sigmaMax: 10 });
  const { x, nfe } = trace(sampler, denoiser, mul(eps, sampler.sigmaMax), () => eps);
  const result = await evaluate({ x }, feed, "f64");
  assert.is(nfe, 79);
  // dx/dσ = xσ/(s² + σ²): x scales as √(s² + σ²)
  const scale = (10 * deviation) / Math.hypot(10, deviation);
  numbers([6, 1]).forEach((value, i) => {
    assert.ok(Math.abs(result.x[i] - value * scale) < 2e-3, `${result.x[i]} of ${value}`);
  });
});

test("a level that is a bound of churn gets fresh noise, however its power was rounded", () => {
  const levels = samplerOf({ steps: 5 }).steps.map(({ values }) => values.sigma);
  for (const level of levels)
    for (const bound of [level, level * (1 - 1e-9), level * (1 + 1e-9)]) {
      const { steps } = samplerOf({ steps: 5, churn: 1, churnMin: bound, churnMax: bound });
      assert.is(steps.filter(({ values }) => values.rise > 0).length, 1, `${level}`);
    }
});

test("a long step keeps the precision of float32 states: the first of 4 with ρ = 9", async () => {
  const gaussian = { means: [[1, -2, 0.5, 2]], deviations: [0.3], weights: [1] };
  const { steps, sigmaMax } = samplerOf({ steps: 4, rho: 9 });
  const sampler = { sigmaMax, steps: steps.slice(0, 1) };
  const sample = async (precision: "f32" | "f64") => {
    const feed = new Feed();
    const eps = feed.tensor("eps", [300, 4], numbers([300, 4]));
    const { x } = trace(sampler, mixtureDenoiser(gaussian), mul(eps, sigmaMax), () => eps);
    return (await evaluate({ x }, feed, precision)).x;
  };
  const [found, exact] = [await sample("f32"), await sample("f64")];
  const error = Math.max(...exact.map((value, i) => Math.abs(found[i] - value)));
  // x falls from 80 to 8, where a unit in the last place is 4.8e-7 to 9.5e-7; by the sums of slopes the error is 4e-5.
  assert.ok(error < 2e-6, `largest error ${error}`);
});

function goldenMixture(reference: GoldenCase): GaussianMixture {
  const [K, ...sample] = reference.shape("gmm.mu");
  const mu = reference.f64("gmm.mu");
  const D = sizeOf(sample);
  return {
    means: Array.from({ length: K }, (_, k) => [...mu.subarray(k * D, (k + 1) * D)]),
    deviations: [...reference.f64("gmm.s")],
    weights: [...reference.f64("gmm.logpi")].map(Math.exp),
  };
}

const check = hasGolden("sampler_edm") ? test : test.skip;
for (const id of ["c0", "c1", "c2", "c3", "c4"])
  check(`sampler_edm ${id}: samples agree with NVlabs/edm`, async () => {
    const reference = golden("sampler_edm");
    const given = reference.config.cases.find((entry: { id: string }) => entry.id === id);
    const { num_steps: steps, rho = 7, sigma_min: sigmaMin = 0.002, sigma_max = 80 } = given;
    const { S_churn = 0, S_min = 0, S_max = null, S_noise = 1 } = given;
    const sampler = samplerOf({
      steps,
      rho,
      sigmaMin,
      sigmaMax: sigma_max,
      churn: S_churn,
      churnMin: S_min,
      churnMax: S_max,
      churnNoise: S_noise,
    });
    const feed = new Feed();
    const shape = reference.shape(`${id}.in.latents`);
    const latents = feed.tensor("latents", shape, reference.f32(`${id}.in.latents`));
    const draws = feed.tensor("noise", [steps, ...shape], reference.f32(`${id}.rand.noise`));
    const noise = (step: number) => reshape(slice(draws, { axis: 0, start: step, end: step + 1 }), shape);
    const { x, nfe } = trace(sampler, mixtureDenoiser(goldenMixture(reference)), mul(latents, sampler.sigmaMax), noise);
    assert.is(nfe, reference.shape(`${id}.out.call_sigma`)[0]);
    const result = await evaluate({ x }, feed, "f64");
    reference.within(result.x, `${id}.out.x`);
  });

test.run();
