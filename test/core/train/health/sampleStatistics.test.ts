import { suite } from "uvu";
import * as assert from "uvu/assert";
import { dataStatistics, sampleStatistics } from "../../../../core/train/health/sampleStatistics.ts";

const test = suite("core/train/health/sampleStatistics");

const near = (found: number, expected: number, tolerance: number, what?: string) =>
  assert.ok(Math.abs(found - expected) <= tolerance, `${what ?? ""} ${found} is not ${expected}`);

/** Eight samples of two elements: four of class 0 around -0.5, four of class 1 around 0.5. */
const labels = [0, 0, 0, 0, 1, 1, 1, 1];
const points = labels.flatMap((label, i) => [label - 0.5 + 0.1 * Math.cos(i), label - 0.5 + 0.1 * Math.sin(2 * i)]);
const setOf = (values: readonly number[], own: readonly number[] | null = labels) => ({
  shape: [values.length / 2, 2],
  x: Float32Array.from(values),
  labels: own ?? undefined,
});
/** √mean ‖x_i − x_j‖² per element over the pairs that count, by its definition. */
function byPairs(values: readonly number[], counts: (i: number, j: number) => boolean): number {
  let [pairs, total] = [0, 0];
  for (let i = 0; i < values.length / 2; i++)
    for (let j = 0; j < i; j++) {
      if (!counts(i, j)) continue;
      pairs++;
      total += (values[2 * i] - values[2 * j]) ** 2 + (values[2 * i + 1] - values[2 * j + 1]) ** 2;
    }
  return Math.sqrt(total / pairs / 2);
}

test("distances are those over all pairs, and over pairs of one class where there are enough of them", () => {
  const twice = [...points, ...points.map((value) => value * 1.1)];
  const own = [...labels, ...labels];
  const data = dataStatistics(setOf(twice, own));
  near(
    data.distance,
    byPairs(twice, () => true),
    1e-6,
  );
  near(
    data.classDistance!,
    byPairs(twice, (i, j) => own[i] === own[j]),
    1e-6,
  );
  assert.is(dataStatistics(setOf(points)).classDistance, undefined, "twelve pairs are too few");
  assert.is(dataStatistics(setOf(twice, null)).classDistance, undefined);
});

test("samples like the data have 1 and 0, whatever the scale of both", () => {
  for (const scale of [1, 1e-3, 1e4]) {
    const real = points.map((value) => scale * (value + 3));
    const data = dataStatistics(setOf(real));
    const found = sampleStatistics(setOf(real), data);
    for (const [name, value] of Object.entries({ brightness: 0, contrast: 1, distance: 1, outside: 0 }))
      near(found[name], value, 1e-4, name);
    const brighter = sampleStatistics(setOf(real.map((value) => value + data.deviation)), data);
    near(brighter.brightness, 1, 1e-4);
    assert.ok(brighter.outside > 0.3);
  }
});

test("samples that are all alike have no distance; the way of a sample that goes back turns by -1", () => {
  const data = dataStatistics(setOf(points));
  const same = points.map((_, i) => points[i % 2]);
  assert.is(sampleStatistics(setOf(same), data).distance, 0);
  const [a, b] = [points, points.map((value) => value + 0.3)].map((values) => Float32Array.from(values));
  const back = sampleStatistics(setOf(points), data, b, a);
  near(back.moved, 0.3 / data.deviation, 1e-5);
  near(back.turned, -1, 1e-6);
  const on = sampleStatistics(setOf(points.map((value) => value + 0.6)), data, b, a);
  near(on.turned, 1, 1e-6);
  assert.is(sampleStatistics(setOf(points), data).moved, undefined);
});

test.run();
