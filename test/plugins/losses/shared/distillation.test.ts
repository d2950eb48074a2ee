import { suite } from "uvu";
import * as assert from "uvu/assert";
import { perSample } from "../../../../core/diffusion/mod.ts";
import { grad } from "../../../../core/graph/mod.ts";
import type { Denoiser } from "../../../../core/interfaces/mod.ts";
import { add, constant, constantArray, div, mul, sqrt, square, sum } from "../../../../core/ops/mod.ts";
import type { Tensor } from "../../../../core/tensor/tensor.ts";
import { consistencyLosses } from "../../../../plugins/losses/shared/consistency.ts";
import { sampleDistances } from "../../../../plugins/losses/shared/distillation.ts";
import { levelWeight, levelWeights } from "../../../../plugins/losses/shared/levelWeight.ts";
import { progressiveLosses } from "../../../../plugins/losses/shared/progressive.ts";
import { evaluate, Feed, numbers } from "../../support.ts";

const test = suite("plugins/losses/shared (distillation)");

const { l1, l2 } = sampleDistances;
const total = (sigma: Tensor) => add(1, square(perSample(sigma, 2)));
/** The denoiser of data N(0, 1): D(x; σ) = x/(1 + σ²). */
const exact: Denoiser = { denoise: (x, sigma) => div(x, total(sigma)) };
/** Where its flow ends: x/√(1 + σ²), the same for every point of a path. */
const ending: Denoiser = { denoise: (x, sigma) => div(x, sqrt(total(sigma))) };
const scaled = (by: Tensor, { denoise }: Denoiser): Denoiser => ({
  denoise: (x, sigma, condition) => mul(by, denoise(x, sigma, condition)),
});

const levels = (values: readonly number[]) => constantArray(values, [values.length]);
const samples = (feed: Feed) => ({
  x: feed.tensor("x", [2, 3], numbers([2, 3])),
  eps: feed.tensor("eps", [2, 3], numbers([2, 3], 7)),
  condition: {},
});

test("consistency: the end of the flow is a fixed point, up to Heun's error of the third order", async () => {
  const feed = new Feed();
  const given = { ...samples(feed), sigma: levels([1, 20]), next: levels([0.9, 19]) };
  const roles = { generator: ending, target: ending, teacher: exact };
  const { loss } = await evaluate({ loss: consistencyLosses(given, roles, { distance: l1 }) }, feed, "f64");
  assert.is(loss.length, 2);
  for (const each of loss) assert.ok(each > 0 && each < 2e-4, `${each}`);
});

test("both: only the generator gets a gradient, and weights are per sample", async () => {
  const feed = new Feed();
  const [a, b, c] = ["a", "b", "c"].map((name) => feed.tensor(name, [1], [1.5]));
  const given = {
    ...samples(feed),
    sigma: levels([1, 20]),
    middle: levels([0.7, 10]),
    next: levels([0.5, 3]),
  };
  const [generator, target, teacher] = [scaled(a, exact), scaled(b, ending), scaled(c, exact)];
  const weight = constantArray([1, 3], [2]);
  const made = [
    (options: { distance: typeof l2; weight?: Tensor }) =>
      consistencyLosses(given, { generator, target, teacher }, options),
    (options: { distance: typeof l2; weight?: Tensor }) => progressiveLosses(given, { generator, teacher }, options),
  ];
  for (const make of made) {
    const plain = make({ distance: l2 });
    const [da, db, dc] = grad(sum(plain), [a, b, c]);
    const found = await evaluate({ plain, weighted: make({ distance: l2, weight }), da, db, dc }, feed, "f64");
    assert.ok(Math.abs(found.da[0]) > 0);
    assert.equal([...found.db, ...found.dc], [0, 0]);
    assert.is(found.weighted[0], found.plain[0]);
    assert.is(found.weighted[1], 3 * found.plain[1]);
  }
});

test("progressive: a step of its target leads where two steps of the teacher do", async () => {
  const feed = new Feed();
  const [sigma, middle, next] = [
    [4, 1],
    [2, 0.5],
    [1, 0],
  ];
  const given = {
    ...samples(feed),
    sigma: levels(sigma),
    middle: levels(middle),
    next: levels(next),
  };
  // D(x; σ) = k x, so an Euler step to τ is x·(k + (τ/σ)(1 − k)).
  const step = (from: number, to: number) => {
    const k = 1 / (1 + from ** 2);
    return k + (to / from) * (1 - k);
  };
  const wanted = sigma.map((from, i) => {
    const both = step(from, middle[i]) * step(middle[i], next[i]);
    return (both - next[i] / from) / (1 - next[i] / from);
  });
  const generator: Denoiser = { denoise: (x) => mul(perSample(levels(wanted), 2), x) };
  const final: Denoiser = { denoise: (x) => constant(0, "f32", x.shape) };
  const of = (roles: Parameters<typeof progressiveLosses>[1]) => progressiveLosses(given, roles, { distance: l2 });
  const { loss, other } = await evaluate(
    { loss: of({ generator, teacher: exact }), other: of({ generator, teacher: exact, final }) },
    feed,
    "f64",
  );
  for (const each of loss) assert.ok(each < 1e-12, `${each}`);
  assert.ok(other[0] < 1e-12 && other[1] > 1e-3, "`final` is the target where a step ends at 0");
});

test("weights of levels", async () => {
  const sigma = levels([0.5, 2]);
  const outputs = Object.fromEntries(levelWeights.map((name) => [name, levelWeight(name, sigma, 0.5)]));
  const found = await evaluate(outputs, new Feed(), "f64");
  const lists = Object.fromEntries(levelWeights.map((name) => [name, [...found[name]]]));
  assert.equal(lists, {
    uniform: [1, 1],
    snr: [4, 0.25],
    "snr+1": [5, 1.25],
    karras: [8, 4.25],
    "truncated-snr": [4, 1],
  });
});

test.run();
