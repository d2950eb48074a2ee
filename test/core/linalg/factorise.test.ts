import { suite } from "uvu";
import * as assert from "uvu/assert";
import { factorise, matrixAt, openDense } from "../../../core/linalg/mod.ts";
import { uniform } from "../../helpers/uniform.ts";

const test = suite("core/linalg/factorise");
const silent = async () => {};

/** Σ = Gᵀ G of `rank` rows of noise; column j is `scale(j)` times as large. */
function covariance(n: number, rank: number, scale = (_: number) => 1): Float64Array {
  const draw = uniform(n + rank);
  const g = Float64Array.from({ length: rank * n }, (_, i) => (draw() - 0.5) * scale(i % n));
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) for (let p = 0; p < rank; p++) out[i * n + j] += g[p * n + i] * g[p * n + j];
  return out;
}

/** The factor's rank, and the largest |(Fᵀ F - Σ)ᵢⱼ| / √(Σᵢᵢ Σⱼⱼ). */
async function factored(s: Float64Array, n: number): Promise<{ rank: number; error: number }> {
  const dense = await openDense(n * n + (n + 1) * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) dense.data[i * n + j] = j <= i ? s[i * n + j] : Number.NaN; // the upper triangle is not read
  const rank = await factorise(dense, matrixAt(0, n, n), n * n, silent);
  const f = dense.data.subarray(n * n);
  let error = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < rank; p++) sum += f[p * n + i] * f[p * n + j];
      const scale = Math.sqrt(s[i * n + i] * s[j * n + j]) || 1;
      error = Math.max(error, Math.abs(sum - s[i * n + j]) / scale);
    }
  return { rank, error };
}

for (const [n, rank] of [
  [1, 1],
  [2, 1],
  [5, 5],
  [64, 64],
  [65, 64],
  [67, 20],
  [150, 149],
  [150, 3],
])
  test(`${n} x ${n} of rank ${rank}: the rank, and Fᵀ F = Σ to n · 2⁻⁵²`, async () => {
    const found = await factored(covariance(n, rank), n);
    assert.is(found.rank, rank);
    assert.ok(found.error < Math.max(n, 8) * Number.EPSILON, `error ${found.error}`);
  });

test("variables of very different size count alike", async () => {
  const found = await factored(
    covariance(40, 60, (j) => 10 ** (-j / 2)),
    40,
  );
  assert.is(found.rank, 40);
  assert.ok(found.error < 40 * Number.EPSILON, `error ${found.error}`);
});

test("zeros have rank 0, and a variable without variance adds nothing", async () => {
  assert.equal(await factored(new Float64Array(9), 3), { rank: 0, error: 0 });
  assert.equal(await factored(Float64Array.of(4, 0, 0, 0, 0, 0, 0, 0, 9), 3), { rank: 2, error: 0 });
});

test.run();
