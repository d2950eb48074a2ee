import { suite } from "uvu";
import * as assert from "uvu/assert";
import { SAMPLER } from "../../../core/interfaces/mod.ts";
import { add, div, mul, reshape } from "../../../core/ops/mod.ts";
import { renoise } from "../../../plugins/samplers/renoise.ts";
import { compose, evaluate, Feed } from "../support.ts";
import { trace } from "./run.ts";

const test = suite("plugins/samplers/renoise");

const samplerOf = (sigmas: number[]) =>
  compose({ sample: [1], condition: {}, sigmaData: 0.5 }, renoise({ sigmas })).get(SAMPLER);

test("predicts, adds fresh noise of the next level, predicts again", async () => {
  const sampler = samplerOf([8, 2, 0.5]);
  assert.is(sampler.sigmaMax, 8);
  const feed = new Feed();
  const eps = feed.tensor("eps", [1, 1], [1]);
  // D(x; σ) = x/(1 + σ): x₀ = 8/9, x₁ = (8/9 + 2)/3, x₂ = (x₁ + 0.5)/1.5
  const denoiser = {
    denoise: (x: typeof eps, sigma: typeof eps) => mul(x, reshape(div(1, add(sigma, 1)), [1, 1])),
  };
  const { x, nfe } = trace(sampler, denoiser, mul(eps, 8), () => eps);
  const result = await evaluate({ x }, feed, "f64");
  assert.is(nfe, 3);
  assert.ok(Math.abs(result.x[0] - ((8 / 9 + 2) / 3 + 0.5) / 1.5) < 1e-6);
});

test("refuses levels that do not fall", () => {
  assert.throws(() => samplerOf([1, 2]), /^Cannot configure renoise: sigmas is \[1, 2\]/);
});

test.run();
