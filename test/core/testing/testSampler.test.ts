// The kit's test of samplers is seen to fail.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { SAMPLER, type Sampler, type SamplerRule } from "../../../core/interfaces/mod.ts";
import { add, mul, sub } from "../../../core/ops/mod.ts";
import { definePlugin } from "../../../core/plugin/mod.ts";
import { type SamplerTest, testSampler } from "../../../core/testing/mod.ts";
import { backends, problemsOf } from "./problems.ts";

const test = suite("core/testing/testSampler");

const STEPS = 60;
const levels = [...Array.from({ length: STEPS }, (_, i) => 10 * 0.9 ** i), 0];

const euler: SamplerRule = (x, { keep, sigma }, model) => {
  const denoised = model.denoise(x, sigma);
  return add(denoised, mul(keep, sub(x, denoised)));
};

/** Euler's method, with a mistake or without. */
const problems = (ruleOf: () => SamplerRule, setting: Partial<SamplerTest> = {}, mistake: Partial<Sampler> = {}) => {
  const plugin = definePlugin({
    name: "plain",
    kind: "sampler",
    token: SAMPLER,
    about: "Euler's method",
    options: {},
    create: (): Sampler => ({
      sigmaMax: levels[0],
      steps: levels.slice(1).map((next, i) => ({
        rule: ruleOf(),
        values: { sigma: levels[i], keep: next / levels[i] },
      })),
      ...mistake,
    }),
  });
  return problemsOf(testSampler(plugin(), { nfe: STEPS, backends, ...setting }));
};

test("a sound sampler passes", async () => assert.is(await problems(() => euler), ""));

test("another number of calls than it says", async () => {
  const twice: SamplerRule = (x, values, model) => {
    model.denoise(x, values.sigma);
    return euler(x, values, model, {});
  };
  assert.match(await problems(() => twice), "its NFE is 120, should be 60");
});

test("samples that are not the data's", async () => {
  const wide = await problems(() => euler, {}, { startScale: 2 * levels[0] });
  assert.match(wide, /^Cannot accept plugin plain: the deviation of its samples is \d\.\d+, should be 0\.5 ± 0\.05$/);
  const moved: SamplerRule = (x, values, model) => add(0.1, euler(x, values, model, {}) as never);
  assert.match(await problems(() => moved), "the mean of its samples is");
});

test("steps that do not share programs", async () => {
  const fresh = (): SamplerRule => (x, values, model) => euler(x, values, model, {});
  assert.match(await problems(fresh), "its 60 steps have 60 rules, a program each, should share at most 4");
});

test("noise that it does not tell of, and noise of the host", async () => {
  const noisy: SamplerRule = (x, values, model) =>
    add(euler(x, values, model, {}) as never, mul(model.noise(), mul(values.keep, 1e-3)));
  assert.match(await problems(() => noisy), "it draws fresh noise on the way, `deterministic` is true");
  assert.is(await problems(() => noisy, { deterministic: false }), "");
  assert.match(await problems(() => euler, { deterministic: false }), "it draws no noise");
  const host: SamplerRule = (x, values, model) => add(euler(x, values, model, {}) as never, 1e-3 * Math.random());
  assert.match(await problems(() => host), "a sample depends on how many are drawn at a time");
});

test("what the last samples have left is read", async () => {
  const stale: SamplerRule = (x, values, model, { last }) => {
    const next = euler(x, values, model, {}) as typeof x;
    return { x: add(next, mul(1e-3, last)), carried: { last: next } };
  };
  const found = await problems(() => stale, {}, { carried: ["last"] });
  assert.match(found, "the same seed gives other samples; a sample depends on how many");
});

test("what the sampler does not declare, and what cannot be made", async () => {
  const handing: SamplerRule = (x, values, model) => ({
    x: euler(x, values, model, {}) as typeof x,
    carried: { last: x },
  });
  assert.match(await problems(() => handing), 'it cannot draw: Cannot sample: the rule "handing" hands on');
  assert.match(await problems(() => euler, {}, { sigmaMax: Number.POSITIVE_INFINITY }), "its sigmaMax is Infinity");
});

test.run();
