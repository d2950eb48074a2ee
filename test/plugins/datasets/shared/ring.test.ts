import { suite } from "uvu";
import * as assert from "uvu/assert";
import { drawPoints, type RingOptions, ringMixture } from "../../../../plugins/datasets/shared/ring.ts";
import { uniform } from "../../../helpers/uniform.ts";

const test = suite("plugins/datasets/shared/ring");
const near = (actual: number, expected: number, error: number) =>
  assert.ok(Math.abs(actual - expected) <= error, `${actual}, should be ${expected} ± ${error}`);

test("eight modes on the unit circle, the first at (1, 0), counted anticlockwise", () => {
  const { means, weights, std } = ringMixture();
  assert.is(std, 0.12);
  assert.equal([...weights], new Array(8).fill(1 / 8));
  const r = Math.SQRT1_2;
  const expected = [1, 0, r, r, 0, 1, -r, r, -1, 0, -r, -r, 0, -1, r, -r];
  for (const [i, value] of means.entries()) near(value, expected[i], 1e-12);
});

test("drawn points have the means, widths and frequencies of the mixture; the first of three numbers picks the mode", () => {
  const mixture = ringMixture({ modes: 3, std: 0.2, radii: [1, 2, 0], weights: [1, 2, 5] });
  const N = 200_000;
  const random = uniform(3);
  const used: number[] = [];
  const x = drawPoints(mixture, N, () => {
    used.push(random());
    return used[used.length - 1];
  });
  assert.equal([x.length, used.length], [2 * N, 3 * N]);
  const modeOf = (u: number) => (u < 1 / 8 ? 0 : u < 3 / 8 ? 1 : 2);
  const modes = Array.from({ length: N }, (_, b) => modeOf(used[3 * b]));
  for (let mode = 0; mode < 3; mode++) {
    const of = [...modes.keys()].filter((b) => modes[b] === mode);
    near(of.length / N, mixture.weights[mode], 0.005);
    for (const axis of [0, 1]) {
      const values = of.map((b) => x[2 * b + axis]);
      const mean = values.reduce((a, b) => a + b) / values.length;
      const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
      near(mean, mixture.means[2 * mode + axis], 0.006);
      near(Math.sqrt(variance), 0.2, 0.004);
    }
  }
});

test("the same random numbers give the same points", () => {
  const draw = (seed: number) => drawPoints(ringMixture(), 50, uniform(seed));
  assert.equal(draw(1), draw(1));
  assert.not.equal(draw(1), draw(2));
});

test("the extremes of [0, 1) give finite points", () => {
  for (const u of [0, 1 - 2 ** -53]) assert.ok(drawPoints(ringMixture(), 3, () => u).every(Number.isFinite));
});

for (const [options, message] of [
  [{ modes: 0 }, /modes is 0, should be an integer of at least 1$/],
  [{ modes: 2.5 }, /modes is 2.5/],
  [{ std: 0 }, /std is 0, should be above 0$/],
  [{ std: Number.NaN }, /std is NaN/],
  [{ radius: -1 }, /a radius is -1, should be at least 0$/],
  [{ radii: [1, 2] }, /radii has 2 values, should have one for each of 8 modes$/],
  [{ modes: 2, weights: [1, 0] }, /weights are \[1, 0\], should be positive$/],
  [{ modes: 2, weights: [1, Infinity] }, /weights are/],
] as [RingOptions, RegExp][])
  test(`refuses ${JSON.stringify(options)}`, () => {
    assert.throws(() => ringMixture(options), message);
  });

test.run();
