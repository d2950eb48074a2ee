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

test("drawPairs: states of the path at the levels nearest to those asked for, as x0 + σ·ε", async () => {
  const made = await drawer({ use: "heun", sigmas: [5, 2, 1, 0.5] }, 3);
  const { z, path } = await drawPairs(made, data, { count: 4, seed: 4, levels: [0.9, 2.2] });
  assert.equal(path?.levels, [2, 1]);
  // D = x·s²/(s² + σ²): Heun's steps from 5 to 2 to 1 scale x alone, each by the mean of the slopes at its ends.
  const slope = (sigma: number) => sigma / (0.25 + sigma ** 2);
  const step = (from: number, to: number) => {
    const euler = 1 + (to - from) * slope(from);
    return 1 + ((to - from) * (slope(from) + slope(to) * euler)) / 2;
  };
  const scales = [5 * step(5, 2), 5 * step(5, 2) * step(2, 1)];
  for (let i = 0; i < 4; i++)
    for (const [m, scale] of scales.entries())
      for (const d of [0, 1]) {
        const [state, noise] = [path!.states[(2 * i + m) * 2 + d], z[2 * i + d]];
        assert.ok(Math.abs(state - scale * noise) < 1e-5, `${state}, not ${scale * noise}`);
      }
  const error = await drawPairs(made, data, { count: 1, seed: 0, levels: [2, 2.1] }).catch((reason) => reason);
  assert.match(error.message, /the sampler has 3 steps after the first, expected one for each level$/);
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
