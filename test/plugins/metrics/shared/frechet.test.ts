import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ShapeError } from "../../../../core/errors.ts";
import type { Pace } from "../../../../core/interfaces/mod.ts";
import { featureStatistics, frechetDistance } from "../../../../plugins/metrics/shared/frechet.ts";
import { hashUniform } from "../../../bench/data.ts";
import { golden } from "../../../helpers/golden.ts";

const test = suite("plugins/metrics/frechet");
const reference = golden("frechet_distance");

for (const { id, kind, d, atol } of reference.config.cases)
  test(`golden ${id}, ${kind}: moments and distance`, async () => {
    const x = await featureStatistics(reference.f32(`${id}.in.x`), d);
    const y = await featureStatistics(reference.f32(`${id}.in.y`), d);
    reference.within(x.mean, `${id}.f64.out.mu_x`);
    reference.within(x.covariance, `${id}.f64.out.sigma_x`);
    const distance = await frechetDistance(x, y);
    const expected = reference.f64(`${id}.f64.out.fd_oracle`)[0];
    assert.ok(Math.abs(distance - expected) <= atol, `${distance}, should be ${expected}`);
    assert.ok(Math.abs(distance - (await frechetDistance(y, x))) <= atol, "the distance is symmetric");
  });

/** A case of frechet.py. */
interface Stored {
  readonly name: string;
  readonly counts: readonly [number, number];
  readonly d: number;
  readonly rank: number;
  readonly decay: number;
  readonly shift: number;
  readonly trace: number;
  readonly distance: number;
}
const stored: Stored[] = JSON.parse(readFileSync("test/plugins/metrics/shared/frechet.json", "utf8"));

/** As `features` of frechet.py. */
function featuresOf({ d, rank, decay }: Stored, seed: number, count: number, shift: number): Float64Array {
  const noise = hashUniform(seed, count * rank);
  return Float64Array.from({ length: count * d }, (_, at) => {
    const [i, j] = [Math.floor(at / d), at % d];
    const mixed = noise[i * rank + (j % rank)] + 0.5 * noise[i * rank + ((3 * j + 1) % rank)];
    return mixed * 10 ** ((-decay * j) / d) + shift;
  });
}

for (const each of stored)
  test(`${each.name}: as numpy's singular values of the features have it`, async () => {
    const { counts, d, shift, trace, distance } = each;
    const x = await featureStatistics(featuresOf(each, 1, counts[0], 0), d);
    const y = await featureStatistics(featuresOf(each, 2, counts[1], shift), d);
    const found = await frechetDistance(x, y);
    const error = Math.abs(found - distance) / (trace + shift ** 2 * d);
    assert.ok(error < 1e-12, `${found}, should be ${distance}: ${error} of the trace`);
    const same = await frechetDistance(x, x);
    assert.ok(same < 1e-12 * trace, `${same} from itself`);
  });

test("one dimension: (μ₁ - μ₂)² + (σ₁ - σ₂)²", async () => {
  const a = await featureStatistics([1, 3], 1); // mean 2, variance 2
  const b = await featureStatistics([0, 6, 0, 6], 1); // mean 3, variance 12
  const expected = 1 + (Math.sqrt(2) - Math.sqrt(12)) ** 2;
  assert.ok(Math.abs((await frechetDistance(a, b)) - expected) < 1e-12);
});

test("sets without any variance: the squared distance of their means", async () => {
  const a = await featureStatistics([1, 2, 1, 2, 1, 2], 2);
  const b = await featureStatistics([4, 6, 4, 6], 2);
  assert.is(await frechetDistance(a, b), 25);
  assert.is(await frechetDistance(a, a), 0);
});

test("NaN or infinite features give NaN, not an endless loop", async () => {
  const good = await featureStatistics([1, 2, 3, 4, 5, 7], 2);
  for (const bad of [Number.NaN, Infinity, 1e200]) {
    const distance = await frechetDistance(await featureStatistics([1, 2, 3, bad, 5, 7], 2), good);
    assert.ok(Number.isNaN(distance), `${bad}`);
  }
});

test("tells how far it is, and stops when it is told to", async () => {
  const each = stored.find(({ d }) => d === 131)!;
  const told: string[] = [];
  let before = -1;
  const pace: Pace = async (what, done, total) => {
    if (told.at(-1) !== what) before = -1;
    assert.ok(done > before && done < total, `${what}: ${done} of ${total} after ${before}`);
    before = done;
    if (told.at(-1) !== what) told.push(what);
  };
  const x = await featureStatistics(featuresOf(each, 1, 600, 0), each.d, { pace });
  await frechetDistance(x, x, { pace });
  assert.equal(told, ["taking moments of features", "comparing covariances"]);
  for (const calls of [0, 2, 5]) {
    let left = calls;
    const stop = new Error("stop");
    const stopping: Pace = async () => {
      if (left-- === 0) throw stop;
    };
    const error = await frechetDistance(x, x, { pace: stopping }).catch((error: unknown) => error);
    assert.is(error, stop);
  }
});

test("refuses too few vectors and sets that do not fit", async () => {
  const refusal = async (work: Promise<unknown>) => {
    const error = await work.catch((error: unknown) => error);
    assert.instance(error, ShapeError);
    return (error as ShapeError).message;
  };
  assert.match(await refusal(featureStatistics([], 4)), /Cannot take statistics of 0 feature vectors/);
  assert.match(
    await refusal(featureStatistics([1, 2], 2)),
    /of 1 feature vectors: a covariance should have at least 2$/,
  );
  assert.match(await refusal(featureStatistics([1, 2, 3], 2)), /of 3 values: D is 2/);
  const [a, b] = [await featureStatistics([1, 2], 1), await featureStatistics([1, 2, 3, 4], 2)];
  assert.match(await refusal(frechetDistance(a, b)), /one set has 1 dimensions and the other 2/);
});

test.run();
