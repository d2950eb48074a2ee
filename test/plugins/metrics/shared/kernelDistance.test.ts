import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hostRandom } from "../../../../core/random/mod.ts";
import { drawSubsets, kernelDistances } from "../../../../plugins/metrics/shared/kernelDistance.ts";

const test = suite("plugins/metrics/shared/kernelDistance");

const D = 4;
const rows = (count: number, stream: number, shift = 0) => {
  const random = hostRandom(0, 0, stream);
  return { D, data: Float32Array.from({ length: count * D }, () => random() + shift) };
};
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

test("near 0 for two sets of one distribution, and rising with their distance", () => {
  const pairs = drawSubsets({ x: 200, y: 200 }, hostRandom(0, 0, 9), { subsets: 20, size: 100 });
  const near = mean(kernelDistances(rows(200, 1), rows(200, 2), pairs));
  const far = mean(kernelDistances(rows(200, 1), rows(200, 2, 0.5), pairs));
  const further = mean(kernelDistances(rows(200, 1), rows(200, 2, 1), pairs));
  assert.ok(Math.abs(near) < 0.02, `${near}`);
  assert.ok(far > 0.1 && further > 2 * far, `${far}, ${further}`);
});

test("two rows each, by hand", () => {
  const [x, y] = [[1, 0, 0, 1].map(Number), [2, 0, 0, 2].map(Number)];
  const k = (a: number) => (a / 2 + 1) ** 3;
  // x·x' = 0, y·y' = 0, x·y = 2, 0, 0, 2
  const expected = (2 * k(0) + 2 * k(0)) / 2 - (2 * (2 * k(2) + 2 * k(0))) / 4;
  const [distance] = kernelDistances({ data: x, D: 2 }, { data: y, D: 2 }, [{ x: [0, 1], y: [0, 1] }]);
  assert.ok(Math.abs(distance - expected) < 1e-12, `${distance}, should be ${expected}`);
});

test("subsets have no index twice, and no more than there are", () => {
  const pairs = drawSubsets({ x: 50, y: 30 }, hostRandom(0, 0, 1), { subsets: 5 });
  assert.is(pairs.length, 5);
  for (const pair of pairs)
    for (const [name, count] of [
      ["x", 50],
      ["y", 30],
    ] as const) {
      const indices = [...(pair[name] as Int32Array)];
      assert.is(indices.length, 30);
      assert.is(new Set(indices).size, 30);
      assert.ok(indices.every((i) => i >= 0 && i < count));
    }
});

test.run();
