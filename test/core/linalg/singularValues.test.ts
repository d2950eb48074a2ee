import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  matrixAt,
  openDense,
  partOf,
  singularSpace,
  singularValues,
  symmetricEigenvalues,
} from "../../../core/linalg/mod.ts";
import { uniform } from "../../helpers/uniform.ts";

const test = suite("core/linalg/singularValues");
const silent = async () => {};

async function valuesOf(a: ArrayLike<number>, m: number, n: number): Promise<Float64Array> {
  const dense = await openDense(m * n + singularSpace(m, n));
  // What the space holds before does not matter.
  dense.data.fill(Number.NaN);
  dense.data.set(a);
  return singularValues(dense, matrixAt(0, m, n), m * n, silent);
}

const noise = (count: number, seed: number): Float64Array => {
  const draw = uniform(seed);
  return Float64Array.from({ length: count }, () => 2 * draw() - 1);
};

for (const [m, n] of [
  [1, 1],
  [9, 1],
  [3, 3],
  [32, 32],
  [33, 33],
  [70, 31],
  [131, 65],
  [101, 100],
])
  test(`${m} x ${n}: squares are the eigenvalues of Aᵀ A, and rise`, async () => {
    const a = noise(m * n, m + n);
    const gram = new Float64Array(n * n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) for (let k = 0; k < m; k++) gram[i * n + j] += a[k * n + i] * a[k * n + j];
    const expected = symmetricEigenvalues(gram, n);
    const values = await valuesOf(a, m, n);
    assert.equal(
      [...values],
      [...values].sort((x, y) => x - y),
    );
    for (let i = 0; i < n; i++)
      assert.ok(Math.abs(values[i] ** 2 - expected[i]) < 1e-13 * Math.max(1, expected[n - 1]), `value ${i}`);
  });

test("values far below the largest are right to 10⁻¹⁵ of it: Q₁ diag(10⁻ⁱ) Q₂", async () => {
  const n = 48;
  /** I - 2 v vᵀ / vᵀ v. */
  const reflection = (seed: number) => {
    const v = noise(n, seed);
    const squares = v.reduce((sum, x) => sum + x * x, 0);
    return (i: number, j: number) => Number(i === j) - (2 * v[i] * v[j]) / squares;
  };
  const [left, right] = [reflection(1), reflection(2)];
  const wanted = Array.from({ length: n }, (_, i) => 10 ** (-i / 3));
  const a = Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return wanted.reduce((sum, value, k) => sum + left(i, k) * value * right(k, j), 0);
  });
  const values = (await valuesOf(a, n, n)).reverse();
  for (let i = 0; i < n; i++) assert.ok(Math.abs(values[i] - wanted[i]) < 4e-15, `${values[i]}, not ${wanted[i]}`);
});

test("zeros, a column of zeros, equal rows, a diagonal", async () => {
  const cases = [
    { a: [0, 0, 0, 0, 0, 0], n: 2, expected: [0, 0] },
    { a: [0, 3, 0, 4], n: 2, expected: [0, 5] },
    { a: [1, 2, 1, 2, 1, 2], n: 2, expected: [0, Math.sqrt(15)] },
    { a: [0, -2, 0, 0, 0, 7, 5, 0, 0], n: 3, expected: [2, 5, 7] },
  ];
  for (const { a, n, expected } of cases) {
    const values = await valuesOf(a, a.length / n, n);
    for (let i = 0; i < n; i++) assert.ok(Math.abs(values[i] - expected[i]) < 2e-15, `${values}, not ${expected}`);
  }
});

test("very large and very small entries", async () => {
  const a = noise(35 * 34, 5);
  const plain = await valuesOf(a, 35, 34);
  for (const scale of [2 ** 1000, 2 ** -1000]) {
    const scaled = await valuesOf(
      a.map((value) => value * scale),
      35,
      34,
    );
    assert.equal(
      [...scaled],
      [...plain].map((value) => value * scale),
    );
  }
});

test("a part of a wider matrix", async () => {
  const dense = await openDense(20 * 30 + singularSpace(12, 7));
  const whole = noise(600, 9);
  dense.data.set(whole);
  const part = partOf(matrixAt(0, 20, 30), 3, 5, { rows: 12, columns: 7 });
  const alone = Float64Array.from({ length: 84 }, (_, i) => whole[(3 + Math.floor(i / 7)) * 30 + 5 + (i % 7)]);
  assert.equal(await singularValues(dense, part, 600, silent), await valuesOf(alone, 12, 7));
});

test("refuses entries that are not finite, by place", async () => {
  const error = await valuesOf([1, 2, Number.NaN, 3], 2, 2).catch((error: unknown) => error);
  assert.instance(error, RangeError);
  assert.match((error as Error).message, /entry \(1, 0\) is NaN, should be finite$/);
});

test.run();
