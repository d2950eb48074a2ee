import { suite } from "uvu";
import * as assert from "uvu/assert";
import { featureStatistics } from "../../../../plugins/metrics/shared/frechet.ts";
import { cautionOf, frechetNumbers } from "../../../../plugins/metrics/shared/frechetNumbers.ts";
import { normals } from "../clouds.ts";

const test = suite("plugins/metrics/shared/frechetNumbers");

const D = 3;
/** Moments of N(0, I). */
const real = {
  mean: new Float64Array(D),
  covariance: Float64Array.from({ length: D * D }, (_, i) => Number(i % (D + 1) === 0)),
  count: Number.NaN,
};
const cloud = (count: number, seed: number) => ({ data: normals(count, D, seed).map((each) => 1 + 2 * each), D });

test("a known distance of Gaussian clouds lies in its interval, which halves with four times the samples", async () => {
  // |1|² + tr (2 − 1)² I
  const wanted = D + D;
  const [few, many] = [
    await frechetNumbers("d", cloud(4000, 1), real, { parts: 8 }),
    await frechetNumbers("d", cloud(64_000, 1), real, { parts: 8 }),
  ];
  for (const { d, "d ±": half } of [few, many]) assert.ok(Math.abs(d - wanted) < 1.5 * half, `${d} ± ${half}`);
  const ratio = few["d ±"] / many["d ±"];
  assert.ok(ratio > 2 && ratio < 8, `${ratio}`);
});

test("no interval without parts; the whole is the distance of all rows", async () => {
  const rows = cloud(50, 2);
  const { d } = await frechetNumbers("d", rows, await featureStatistics(rows.data, D), { parts: 0 });
  assert.ok(Math.abs(d) < 1e-9);
  assert.equal(Object.keys(await frechetNumbers("d", cloud(3, 2), real, { parts: 5 })), ["d"]);
});

test("fewer samples than features: said, with what to do", () => {
  const caution = cautionOf("fid", 2048, "take kid");
  assert.is(caution(2048), undefined);
  assert.match(caution(1000)!, /^fid compares covariances of 2048 features, of 1000 samples: .*; take kid$/);
});

test.run();
