import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import { classLabel, type DataShape, SAMPLER, TEACHER } from "../../../../core/interfaces/mod.ts";
import { composeSampling, drawPairs, Player, SampleDrawer } from "../../../../core/train/mod.ts";
import { tinyConfig } from "../support.ts";

const test = suite("core/train/pairs");

const data = { sample: [2], condition: {}, sigmaData: 0.7 };

/** A drawer over the exact denoiser of one Gaussian of deviation ½ at the origin. */
async function drawer(sampler: object, batch: number, shape: DataShape = data) {
  const teacher = { use: "gaussian-mixture", modes: 1, radius: 0, deviation: 0.5 };
  const backend = new ReferenceBackend();
  const container = composeSampling(tinyConfig({ teacher, sampler }).plugins, backend, shape);
  const memory = backend.createMemory();
  const player = new Player("teacher", container.get(TEACHER), memory);
  return SampleDrawer.create(backend, memory, player, container.get(SAMPLER), shape, batch);
}

test("drawPairs: y is where the probability flow takes σ_max·z, x·s/√(s² + σ²) for a Gaussian", async () => {
  const found = await drawPairs(await drawer({ steps: 60, sigmaMax: 5 }, 3), data, {
    count: 7,
    seed: 4,
  });
  assert.equal(found.shape, [7, 2]);
  assert.is(found.label, undefined);
  const scale = (5 * 0.5) / Math.hypot(0.5, 5);
  for (const [i, y] of found.y.entries())
    assert.ok(Math.abs(y - scale * found.z[i]) < 2e-3, `${y}, not ${scale * found.z[i]}`);
  const { y: fewer } = await drawPairs(await drawer({ steps: 60, sigmaMax: 5 }, 2), data, {
    count: 3,
    seed: 4,
  });
  assert.equal([...fewer], [...found.y.subarray(0, 6)], "pair i does not depend on their number");
});

test("drawPairs: classes take turns", async () => {
  const labelled = { ...data, condition: classLabel(3) };
  const request = { count: 4, seed: 0 };
  const { label } = await drawPairs(await drawer({ steps: 2 }, 4, labelled), labelled, request);
  assert.equal([...label!], [0, 1, 2, 0]);
});

test("drawPairs: refuses a sampler that draws fresh noise", async () => {
  const error = await drawPairs(await drawer({ steps: 4, churn: 9 }, 2), data, {
    count: 2,
    seed: 0,
  }).catch((reason) => reason);
  assert.is(error.code, "E_OPTION");
  assert.match(error.message, /fresh noise on its way, expected a deterministic one$/);
});

test.run();
