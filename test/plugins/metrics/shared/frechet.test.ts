import { suite } from "uvu";
import * as assert from "uvu/assert";
import { featureStatistics, frechetDistance } from "../../../../plugins/metrics/shared/frechet.ts";
import { golden } from "../../../helpers/golden.ts";

const test = suite("plugins/metrics/frechet");
const reference = golden("frechet_distance");

for (const { id, kind, d, atol } of reference.config.cases)
  test(`golden ${id}, ${kind}: moments and distance`, () => {
    const x = featureStatistics(reference.f32(`${id}.in.x`), d);
    const y = featureStatistics(reference.f32(`${id}.in.y`), d);
    reference.within(x.mean, `${id}.f64.out.mu_x`);
    reference.within(x.covariance, `${id}.f64.out.sigma_x`);
    const distance = frechetDistance(x, y);
    const expected = reference.f64(`${id}.f64.out.fd_oracle`)[0];
    assert.ok(Math.abs(distance - expected) <= atol, `${distance}, should be ${expected}`);
    assert.ok(Math.abs(distance - frechetDistance(y, x)) <= atol, "the distance is symmetric");
  });

test("one dimension: (μ₁ - μ₂)² + (σ₁ - σ₂)²", () => {
  const a = featureStatistics([1, 3], 1); // mean 2, variance 2
  const b = featureStatistics([0, 6, 0, 6], 1); // mean 3, variance 12
  const expected = 1 + (Math.sqrt(2) - Math.sqrt(12)) ** 2;
  assert.ok(Math.abs(frechetDistance(a, b) - expected) < 1e-12);
});

test("sets without any variance: the squared distance of their means", () => {
  const a = featureStatistics([1, 2, 1, 2, 1, 2], 2);
  const b = featureStatistics([4, 6, 4, 6], 2);
  assert.is(frechetDistance(a, b), 25);
  assert.is(frechetDistance(a, a), 0);
});

test("NaN or infinite features give NaN, not an endless loop", () => {
  const good = featureStatistics([1, 2, 3, 4, 5, 7], 2);
  for (const bad of [Number.NaN, Infinity, 1e200])
    assert.ok(Number.isNaN(frechetDistance(featureStatistics([1, 2, 3, bad, 5, 7], 2), good)), `${bad}`);
});

test("refuses too few vectors and sets that do not fit", () => {
  assert.throws(() => featureStatistics([], 4), /Cannot take statistics of 0 feature vectors/);
  assert.throws(() => featureStatistics([1, 2], 2), /of 1 feature vectors: a covariance should have at least 2$/);
  assert.throws(() => featureStatistics([1, 2, 3], 2), /of 3 values: D is 2/);
  const [a, b] = [featureStatistics([1, 2], 1), featureStatistics([1, 2, 3, 4], 2)];
  assert.throws(() => frechetDistance(a, b), /one set has 1 dimensions and the other 2/);
});

test.run();
