import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hostRandom, sampleNoise } from "../../../core/random/hostRandom.ts";
import { moments } from "../../helpers/moments.ts";

const test = suite("core/random/hostRandom");

const take = (count: number, seed: number, step: number, stream: number) => {
  const random = hostRandom(seed, step, stream);
  return Array.from({ length: count }, random);
};

test("hostRandom: repeats for the same seed, step and stream, and for no other", () => {
  const first = take(9, 1, 2, 3);
  assert.equal(take(9, 1, 2, 3), first);
  assert.equal(take(5, 1, 2, 3), first.slice(0, 5));
  for (const other of [take(9, 2, 2, 3), take(9, 1, 3, 3), take(9, 1, 2, 4)]) assert.not.equal(other, first);
  assert.not.equal(take(9, 1 + 2 ** 32, 2, 3), first, "the high word of the seed counts");
});

test("hostRandom: uniform in [0, 1)", () => {
  const numbers = take(40_000, 0, 0, 1);
  assert.ok(numbers.every((value) => value >= 0 && value < 1));
  const { mean, variance } = moments(numbers);
  assert.ok(Math.abs(mean - 0.5) < 0.0073 && Math.abs(variance - 1 / 12) < 0.0019);
});

test("sampleNoise: a sample's noise does not depend on the portion it is drawn in", () => {
  const size = 6; // not a multiple of a block
  const whole = new Float32Array(5 * size);
  sampleNoise(whole, { seed: 4, draw: 1, first: 0, size });
  const part = new Float32Array(2 * size);
  sampleNoise(part, { seed: 4, draw: 1, first: 3, size });
  assert.equal([...part], [...whole.subarray(3 * size)]);
  const other = new Float32Array(5 * size);
  sampleNoise(other, { seed: 4, draw: 2, first: 0, size });
  assert.is(new Set([...whole, ...other]).size, 10 * size, "no number appears twice");
});

test("sampleNoise: N(0, 1)", () => {
  const eps = new Float32Array(40_000);
  sampleNoise(eps, { seed: 0, draw: 0, first: 0, size: 100 });
  const { mean, variance, kurtosis } = moments(eps);
  assert.ok(Math.abs(mean) < 0.025 && Math.abs(variance - 1) < 0.036);
  assert.ok(Math.abs(kurtosis - 3) < 0.13);
});

test.run();
