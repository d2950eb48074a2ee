import { suite } from "uvu";
import * as assert from "uvu/assert";
import { symmetricEigen, symmetricEigenvalues } from "../../../core/linalg/symmetricEigen.ts";

const test = suite("core/linalg/symmetricEigen");

/** Numbers in [-1, 1] that repeat from run to run. */
function noise(count: number, seed: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

function symmetric(n: number, seed: number): Float64Array {
  const a = noise(n * n, seed);
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) a[j * n + i] = a[i * n + j];
  return a;
}

/** Largest of |A vᵢ - λᵢ vᵢ| and |vᵢ·vⱼ - δᵢⱼ|, the first over the largest |λ|. */
function errors(a: ArrayLike<number>, n: number) {
  const { values, vectors } = symmetricEigen(a, n);
  const scale = Math.max(Number.MIN_VALUE, ...values.map(Math.abs));
  let residual = 0;
  let skew = 0;
  for (let i = 0; i < n; i++)
    for (let r = 0; r < n; r++) {
      let image = 0;
      let product = 0;
      for (let k = 0; k < n; k++) {
        image += a[r * n + k] * vectors[i * n + k];
        product += vectors[i * n + k] * vectors[r * n + k];
      }
      residual = Math.max(residual, Math.abs(image - values[i] * vectors[i * n + r]) / scale);
      skew = Math.max(skew, Math.abs(product - (i === r ? 1 : 0)));
    }
  return { residual, skew, values };
}

for (const n of [1, 2, 3, 5, 17, 64, 101])
  test(`${n} x ${n}: A v = λ v with orthonormal v, to 1e-13, values rising`, () => {
    const a = symmetric(n, n);
    const { residual, skew, values } = errors(a, n);
    assert.ok(residual < 1e-13 && skew < 1e-13, `residual ${residual}, skew ${skew}`);
    assert.equal(
      [...values],
      [...values].sort((x, y) => x - y),
    );
    const alone = symmetricEigenvalues(a, n);
    for (let i = 0; i < n; i++) assert.ok(Math.abs(alone[i] - values[i]) < 1e-13 * n);
  });

test("known values: the second-difference matrix, 2 - 2 cos(k π / (n + 1))", () => {
  const n = 40;
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    a[i * n + i] = 2;
    if (i > 0) a[i * n + i - 1] = a[(i - 1) * n + i] = -1;
  }
  const values = symmetricEigenvalues(a, n);
  for (let k = 1; k <= n; k++) assert.ok(Math.abs(values[k - 1] - (2 - 2 * Math.cos((k * Math.PI) / (n + 1)))) < 1e-13);
});

test("diagonal, zero, repeated and rank-one matrices", () => {
  assert.equal([...symmetricEigenvalues([3, 0, 0, 0, -1, 0, 0, 0, 2], 3)], [-1, 2, 3]);
  assert.equal([...symmetricEigenvalues(new Float64Array(16), 4)], [0, 0, 0, 0]);
  const n = 31;
  const identity = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 5 : 0));
  assert.equal([...symmetricEigenvalues(identity, n)], new Array(n).fill(5));
  const ones = new Float64Array(n * n).fill(1);
  const { residual, skew, values } = errors(ones, n);
  assert.ok(residual < 1e-13 && skew < 1e-13);
  assert.ok(Math.abs(values[n - 1] - n) < 1e-12 && Math.abs(values[n - 2]) < 1e-12);
});

test("very large and very small entries neither overflow nor vanish", () => {
  for (const scale of [1e150, 1e-150, 1e-300]) {
    const a = symmetric(9, 4).map((value) => value * scale);
    const { residual, skew } = errors(a, 9);
    assert.ok(residual < 1e-13 && skew < 1e-13, `scale ${scale}: ${residual}, ${skew}`);
  }
});

test("entries of very different sizes", () => {
  const n = 12;
  const a = symmetric(n, 6);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) a[i * n + j] *= 10 ** -(i + j);
  const { residual, skew } = errors(a, n);
  assert.ok(residual < 1e-13 && skew < 1e-13);
});

test("the input is left alone, and no rows give no values", () => {
  const a = symmetric(5, 8);
  const before = a.slice();
  symmetricEigen(a, 5);
  assert.equal(a, before);
  assert.is(symmetricEigen([], 0).values.length, 0);
});

test("refuses a wrong size and entries that are not finite, by place", () => {
  assert.throws(() => symmetricEigen([1, 2, 3], 2), /it has 3 entries, should have 4$/);
  assert.throws(() => symmetricEigenvalues([1, 0, Number.NaN, 1], 2), /entry \(1, 0\) is NaN, should be finite$/);
});

test.run();
