import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hostRandom } from "../../../../core/random/hostRandom.ts";
import { directionOf } from "../../../../plugins/metrics/shared/directions.ts";
import { quantileDistance } from "../../../../plugins/metrics/shared/quantileDistance.ts";
import { firstRows, projections, slicedDistance, sorted } from "../../../../plugins/metrics/shared/slicedFeatures.ts";
import { normals } from "../clouds.ts";

const test = suite("plugins/metrics/shared/slicedFeatures");

const D = 12;
const cloud = normals(300, D, 1);
const distance = async (a: ArrayLike<number>, b: ArrayLike<number>, width = D, directions = 400) => {
  const [one, other] = await Promise.all([a, b].map((data) => projections({ data, D: width }, { directions })));
  return slicedDistance(sorted(one), sorted(other));
};
const near = (a: number, b: number, tolerance: number) => assert.ok(Math.abs(a / b - 1) < tolerance, `${a}, ${b}`);

test("0 for equal sets, in whatever order, and above 0 for others; symmetric", async () => {
  assert.is(await distance(cloud, cloud), 0);
  const turned = cloud.map((_, i) => cloud[(299 - Math.floor(i / D)) * D + (i % D)]);
  assert.is(await distance(cloud, turned), 0);
  const other = normals(300, D, 2);
  assert.is(await distance(cloud, other), await distance(other, cloud));
  assert.ok((await distance(cloud, other)) > 1e-3);
});

test("closed forms: a shift by δ is the mean of (δ·θ)², about |δ|²/D; units of c make c² of it", async () => {
  const shifted = cloud.map((each, i) => each + (i % D === 0 ? 3 : 0));
  const axes = Array.from({ length: 400 }, (_, k) => directionOf(D, hostRandom(0, k, 104)));
  const wanted = axes.reduce((sum, axis) => sum + (3 * axis[0]) ** 2, 0) / 400;
  near(await distance(cloud, shifted), wanted, 1e-9);
  near(wanted, 9 / D, 0.2);
  const twice = (data: Float64Array) => data.map((each) => 2 * each);
  near(await distance(twice(cloud), twice(shifted)), 4 * wanted, 1e-9);
});

test("a stretch by c: (c − 1)² times the mean square of the projections", async () => {
  const stretched = cloud.map((each) => 1.5 * each);
  const lines = await projections({ data: cloud, D }, { directions: 400 });
  const squares = lines.map((line) => line.reduce((sum, each) => sum + each * each, 0) / 300);
  near(await distance(cloud, stretched), 0.25 * (squares.reduce((a, b) => a + b) / 400), 1e-9);
});

test("two Gaussians of one axis: (μ₁ − μ₂)² + (σ₁ − σ₂)², sets of other sizes too", async () => {
  const one = normals(20_000, 1, 3);
  const other = normals(15_000, 1, 4).map((each) => 0.5 + 2 * each);
  near(await distance(one, other, 1, 2), 0.25 + 1, 0.05);
});

test("quantiles of sets that are not equally large", () => {
  // 0 and 3 each against thirds of 0, 1, 2: |0 − 0|/3 + |0 − 1|/6 + |3 − 1|/6 + |3 − 2|/3.
  assert.ok(Math.abs(quantileDistance([0, 3], [0, 1, 2], 1) - (1 / 6 + 2 / 6 + 1 / 3)) < 1e-12);
  assert.ok(Math.abs(quantileDistance([0, 3], [0, 1, 2], 2) - (1 / 6 + 4 / 6 + 1 / 3)) < 1e-12);
});

test("the first rows, or all of a smaller set", () => {
  const rows = { data: [1, 2, 3, 4, 5, 6], D: 2 };
  assert.equal([...(firstRows(rows, 2).data as Float64Array)], [1, 2, 3, 4]);
  assert.is(firstRows(rows, 9).data.length, 6);
});

test.run();
