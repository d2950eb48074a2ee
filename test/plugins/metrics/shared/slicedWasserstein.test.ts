import { suite } from "uvu";
import * as assert from "uvu/assert";
import { drawPoints, ringMixture } from "../../../../plugins/datasets/shared/ring.ts";
import { slicedWasserstein } from "../../../../plugins/metrics/shared/slicedWasserstein.ts";
import { uniform } from "../../../helpers/uniform.ts";

const test = suite("plugins/metrics/slicedWasserstein");

test("equal sets in any order are 0 apart", () => {
  assert.is(slicedWasserstein([1, 2, 3, 4, -5, 6], [3, 4, -5, 6, 1, 2]), 0);
});

test("a shift by (a, b): the mean of |a cos θ + b sin θ| over the directions", () => {
  const shift = slicedWasserstein([0, 0, 5, 1, 2, 2], [3, 0, 8, 1, 5, 2], 128);
  let expected = 0;
  for (let j = 0; j < 128; j++) expected += Math.abs(3 * Math.cos((Math.PI * j) / 128)) / 128;
  assert.ok(Math.abs(shift - expected) < 1e-12);
  assert.ok(Math.abs(shift - 6 / Math.PI) < 1e-3);
});

test("two draws of 10,000 points from the ring are about 0.010 apart, the floor of the recipe", () => {
  const mixture = ringMixture();
  const floors = [1, 2, 3, 4, 5].map((seed) => {
    const random = uniform(seed);
    const draw = () => drawPoints(mixture, 10_000, random);
    return slicedWasserstein(draw(), draw());
  });
  const mean = floors.reduce((sum, value) => sum + value, 0) / floors.length;
  assert.ok(mean > 0.006 && mean < 0.018, `mean ${mean}, of ${floors}`);
});

test("a NaN coordinate gives NaN", () => {
  assert.ok(Number.isNaN(slicedWasserstein([Number.NaN, 0], [1, 1])));
});

test("refuses empty sets and sets of different sizes", () => {
  assert.throws(() => slicedWasserstein([], []), /Cannot compare 0 with 0 coordinates/);
  assert.throws(() => slicedWasserstein([1, 2], [1, 2, 3, 4]), /Cannot compare 2 with 4 coordinates/);
  assert.throws(() => slicedWasserstein([1], [1]), /sets \[N, 2\]/);
});

test.run();
