import { suite } from "uvu";
import * as assert from "uvu/assert";
import { NoiseSource } from "../../../core/diffusion/mod.ts";
import { constant, input } from "../../../core/ops/mod.ts";
import { keyOf } from "../../../core/random/philox.ts";
import type { Shape, Tensor } from "../../../core/tensor/mod.ts";
import { compute } from "../../helpers/compute.ts";
import { moments } from "../../helpers/moments.ts";

const test = suite("core/diffusion/noiseSource");

const source = (firstStream = 0) => new NoiseSource(input("key", [3], "i32"), firstStream);
const draw = async (tensor: Tensor, seed = 0, step = 0) =>
  (await compute({ tensor }, { key: keyOf(seed, step) })).tensor;

/** The largest and the smallest uniform number there is, in turn. */
class Extremes extends NoiseSource {
  #count = 0;
  override uniform(shape: Shape): Tensor {
    return constant(this.#count++ % 2 ? 0 : 1 - 2 ** -24, "f32", shape);
  }
}

test("NoiseSource: no two calls, of no two programs, draw the same numbers", async () => {
  const all: number[] = [];
  for (const first of [0, 2 ** 20]) {
    const noise = source(first);
    for (const tensor of [noise.normal([3, 3]), noise.normal([3, 3]), noise.normalLike(noise.uniform([9]))])
      all.push(...(await draw(tensor)));
  }
  for (const [seed, step] of [
    [0, 1],
    [1, 0],
  ])
    all.push(...(await draw(source().normal([9]), seed, step)));
  assert.is(new Set(all).size, all.length);
});

test("NoiseSource: same program, seed and step, same numbers", async () => {
  const first = await draw(source().normal([7]), 5, 6);
  assert.equal(await draw(source().normal([7]), 5, 6), first);
});

test("NoiseSource: moments of normal and uniform draws", async () => {
  // Five standard errors of 20,000 numbers.
  const n = moments(await draw(source().normal([20_000])));
  assert.ok(Math.abs(n.mean) < 0.036 && Math.abs(n.variance - 1) < 0.051, JSON.stringify(n));
  const uniforms = await draw(source().uniform([20_000]));
  const u = moments(uniforms);
  assert.ok(Math.abs(u.mean - 0.5) < 0.011 && Math.abs(u.variance * 12 - 1) < 0.032);
  assert.ok(uniforms.every((value) => value >= 0 && value < 1));
});

test("integers: each of low…high−1, as likely", async () => {
  const values = await draw(source().integers(10_000, 3, 8));
  for (let k = 3; k < 8; k++) {
    const share = values.filter((value) => value === k).length / values.length;
    assert.ok(Math.abs(share - 0.2) < 0.02, `${k} comes ${share}`);
  }
  assert.ok(values.every((value) => value >= 3 && value < 8));
});

test("integers: never rounds up to high", async () => {
  for (const [low, high] of [
    [0, 3],
    [980, 1000],
    [20, 981],
    [2 ** 20, 2 ** 20 + 1],
  ]) {
    const noise = new Extremes(input("key", [3], "i32"));
    assert.equal([...(await draw(noise.integers(1, low, high)))], [high - 1]);
    assert.equal([...(await draw(noise.integers(1, low, high)))], [low]);
  }
});

test("fromGrid: levels of the table, between the two indices", async () => {
  const levels = await draw(source().fromGrid([0.1, 0.2, 0.3, 0.4, 0.5], 1000, 1, 4));
  assert.equal([...new Set(levels)].sort(), [0.2, 0.3, 0.4].map(Math.fround));
});

test("logNormal: mean and deviation of ln σ", async () => {
  const logs = (await draw(source().logNormal(20_000, -1.2, 1.2))).map(Math.log);
  const { mean, variance } = moments(logs);
  assert.ok(Math.abs(mean + 1.2) < 0.043 && Math.abs(Math.sqrt(variance) - 1.2) < 0.031);
});

test.run();
