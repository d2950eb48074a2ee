import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { type TimestepEmbeddingOptions, timestepEmbedding } from "../../../core/nn/mod.ts";
import { input } from "../../../core/ops/mod.ts";
import { compute } from "../../helpers/compute.ts";
import { conforms, goldenNames } from "../../helpers/golden.ts";

const test = suite("core/nn/timestepEmbedding");

async function embed(timesteps: number[], options: TimestepEmbeddingOptions) {
  const y = timestepEmbedding(input("t", [timesteps.length]), options);
  const values = await compute({ y }, { t: Float32Array.from(timesteps) });
  return { shape: y.shape, y: [...values.y] };
}

test("cosines, then sines, to 3e-7 for timesteps up to 4095", async () => {
  const timesteps = [0, 1, 249, 999, 1024, 4095];
  const { shape, y } = await embed(timesteps, { width: 320 });
  assert.equal(shape, [6, 320]);
  for (const [b, t] of timesteps.entries())
    for (let i = 0; i < 160; i++) {
      const angle = t * 10000 ** (-i / 160);
      assert.ok(Math.abs(y[b * 320 + i] - Math.cos(angle)) < 3e-7, `cos ${t} ${i}`);
      assert.ok(Math.abs(y[b * 320 + 160 + i] - Math.sin(angle)) < 3e-7, `sin ${t} ${i}`);
    }
});

test("sines first, another period, the end point, and a zero for an odd width", async () => {
  const { shape, y } = await embed([3], { width: 5, first: "sin", shift: 1, maxPeriod: 100 });
  assert.equal(shape, [1, 5]);
  const expected = [Math.sin(3), Math.sin(0.03), Math.cos(3), Math.cos(0.03), 0];
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(y[i] - value) < 3e-7);
});

for (const name of goldenNames("timestep_embeddings"))
  test(`${name}: agrees with diffusers and NVlabs/edm`, async () => {
    await conforms(name, new ReferenceBackend());
  });

test.run();
