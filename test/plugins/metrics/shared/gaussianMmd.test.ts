import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  squaredDiscrepancy,
  sumsBetween,
  sumsWithin,
  unitRows,
} from "../../../../plugins/metrics/shared/gaussianMmd.ts";
import type { FeatureRows } from "../../../../plugins/metrics/shared/kernelDistance.ts";
import { normals } from "../clouds.ts";

const test = suite("plugins/metrics/shared/gaussianMmd");

const total = (values: Float64Array) => values.reduce((sum, each) => sum + each, 0);
async function discrepancy(x: FeatureRows, y: FeatureRows, sigma: number, unbiased = false): Promise<number> {
  const [a, b] = [await sumsWithin(x, 0, { sigma }), await sumsWithin(y, 0, { sigma })];
  return squaredDiscrepancy(a, b, total(await sumsBetween(x, y, { sigma })), unbiased);
}
const near = (a: number, b: number, tolerance: number) => assert.ok(Math.abs(a - b) < tolerance, `${a}, ${b}`);

test("two single points: 2 − 2 exp(−d²/(2σ²))", async () => {
  const [x, y] = [
    { data: [0, 0], D: 2 },
    { data: [3, 4], D: 2 },
  ];
  near(await discrepancy(x, y, 10), 2 - 2 * Math.exp(-25 / 200), 1e-15);
});

test("the formula of the papers, term by term; 0 for equal sets when biased, below it when not", async () => {
  const [x, y] = [
    { data: normals(7, 3, 1), D: 3 },
    { data: normals(5, 3, 2), D: 3 },
  ];
  const k = (a: FeatureRows, i: number, b: FeatureRows, j: number) => {
    let squares = 0;
    for (let d = 0; d < 3; d++) squares += (a.data[3 * i + d] - b.data[3 * j + d]) ** 2;
    return Math.exp(-squares / (2 * 1.5 * 1.5));
  };
  const mean = (a: FeatureRows, n: number, b: FeatureRows, m: number, apart = false) => {
    let [sum, pairs] = [0, 0];
    for (let i = 0; i < n; i++)
      for (let j = 0; j < m; j++)
        if (!apart || i !== j) {
          sum += k(a, i, b, j);
          pairs++;
        }
    return sum / pairs;
  };
  near(await discrepancy(x, y, 1.5), mean(x, 7, x, 7) + mean(y, 5, y, 5) - 2 * mean(x, 7, y, 5), 1e-14);
  near(
    await discrepancy(x, y, 1.5, true),
    mean(x, 7, x, 7, true) + mean(y, 5, y, 5, true) - 2 * mean(x, 7, y, 5),
    1e-14,
  );
  near(await discrepancy(x, x, 1.5), 0, 1e-15);
  assert.ok((await discrepancy(x, x, 1.5, true)) < 0);
});

test("two Gaussian clouds: the closed form", async () => {
  const [D, sigma, shift] = [4, 2, 1.5];
  const x = { data: normals(1500, D, 3), D };
  const y = { data: normals(1500, D, 4).map((each, i) => each + (i % D === 0 ? shift : 0)), D };
  const wide = sigma ** 2 + 2;
  const wanted = 2 * (sigma ** 2 / wide) ** (D / 2) * (1 - Math.exp((-shift * shift) / (2 * wide)));
  near(await discrepancy(x, y, sigma, true), wanted, 0.1 * wanted);
});

test("parts: the pairs within each, counted once", async () => {
  const x = { data: normals(9, 2, 5), D: 2 };
  const { parts } = await sumsWithin(x, 2, { sigma: 1 });
  const every = (part: number) => Array.from(x.data).filter((_, i) => Math.floor(i / 2) % 2 === part);
  for (const part of [0, 1]) {
    const own = await sumsWithin({ data: every(part), D: 2 }, 0, { sigma: 1 });
    assert.is(parts[part].count, own.count);
    near(parts[part].all, own.all, 1e-12);
  }
});

test("rows of unit length; a row of zeros stays", () => {
  assert.equal([...unitRows({ data: [3, 4, 0, 0], D: 2 }).data], [0.6, 0.8, 0, 0]);
});

test.run();
