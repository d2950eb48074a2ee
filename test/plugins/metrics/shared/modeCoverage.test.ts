import { suite } from "uvu";
import * as assert from "uvu/assert";
import { drawPoints, ringMixture } from "../../../../plugins/datasets/shared/ring.ts";
import { modeCoverage } from "../../../../plugins/metrics/shared/modeCoverage.ts";
import { uniform } from "../../../helpers/uniform.ts";

const test = suite("plugins/metrics/modeCoverage");
const near = (actual: number, expected: number, error: number) =>
  assert.ok(Math.abs(actual - expected) <= error, `${actual}, should be ${expected} ± ${error}`);

test("a perfect sampler: in2 0.865, in3 0.989, even shares, mode std 0.985", () => {
  const mixture = ringMixture();
  const x = drawPoints(mixture, 100_000, uniform(7));
  const { in2, in3, lo, hi, modeStd } = modeCoverage(x, mixture);
  near(in2, 1 - Math.exp(-2), 0.004);
  near(in3, 1 - Math.exp(-4.5), 0.002);
  near(lo, 0.989, 0.04);
  near(hi, 0.989, 0.04);
  // Cutting a Gaussian at 3 standard deviations in the plane takes 4.5 e^-4.5 / (1 - e^-4.5) off its variance.
  near(modeStd, Math.sqrt(1 - (4.5 * Math.exp(-4.5)) / (1 - Math.exp(-4.5))), 0.005);
});

test("by hand: two modes, distances of 0 to 4 standard deviations", () => {
  const mixture = { means: [0, 0, 100, 0], std: 1 };
  const points = [0, 0, 1, 0, 0, 1.9, 2.5, 0, 0, 4, 100, 1, 100, -1, 50, 50];
  const { in2, in3, lo, hi, modeStd } = modeCoverage(points, mixture);
  assert.is(in2, 5 / 8);
  assert.is(in3, 6 / 8);
  assert.is(lo, (2 / 8) * 2);
  assert.is(hi, (4 / 8) * 2);
  const along = (values: number[]) => {
    const mean = values.reduce((a, b) => a + b) / values.length;
    return Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1));
  };
  // Two points in the second mode are too few for a width, which then counts as 0.
  near(modeStd, (along([0, 1, 0, 2.5]) + along([0, 0, 1.9, 0])) / 2 / 2, 1e-12);
});

test("all points on one mode: its share is the number of modes, the others' 0", () => {
  const mixture = ringMixture({ modes: 8 });
  const points = Float32Array.from({ length: 20 }, (_, i) => mixture.means[i % 2]);
  const { in3, lo, hi, modeStd } = modeCoverage(points, mixture);
  assert.equal([in3, lo, hi, modeStd], [1, 0, 8, 0]);
});

test("NaN and infinite points are near no mode", () => {
  const points = [0, 0, Number.NaN, 0, Infinity, 0, 0, -Infinity];
  assert.is(modeCoverage(points, { means: [0, 0], std: 1 }).in3, 1 / 4);
});

test("refuses empty and odd sets", () => {
  assert.throws(() => modeCoverage([], { means: [0, 0], std: 1 }), /Cannot judge 0 coordinates/);
  assert.throws(() => modeCoverage([1, 2, 3], { means: [0, 0], std: 1 }), /Cannot judge 3 coordinates/);
  assert.throws(() => modeCoverage([1, 2], { means: [], std: 1 }), /against 0/);
});

test.run();
