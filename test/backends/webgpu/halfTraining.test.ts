import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Backend } from "../../../core/interfaces/mod.ts";
import { composeRun, planRun, Run } from "../../../core/train/mod.ts";
import { tinyConfig } from "../../core/train/support.ts";
import { closeTestBackends, testBackend } from "../../helpers/kernelHarness.ts";

const test = suite("backends/webgpu/halfTraining");
test.after(closeTestBackends);

const half = { teacher: "f16", generator: "f16", critic: "f16" };
const experiment = (precision: object, steps = 300) =>
  tinyConfig({
    network: { use: "mlp", width: 32, depth: 2 },
    method: { teacher: { steps, batch: 64 } },
    train: { batch: 64, steps, precision },
  });

/** Losses of both stages, smoothed over the last 50 updates of each, and samples of one seed. */
async function finish(backend: Backend, precision: object) {
  const run = await Run.create({ resolved: experiment(precision), backend });
  const tails = new Map<string, number[]>();
  run.bus.on("role/updated", async ({ role, step, losses }) => {
    if (step < 250 || role === "generator") return;
    const name = role === "teacher" ? "edm-denoising" : "fake-score";
    const loss = await losses[name].read();
    tails.set(name, [...(tails.get(name) ?? []), loss]);
  });
  await run.start();
  const { x } = await run.draw("generator", 500, 7);
  await run.dispose();
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  return { losses: [...tails].map(([name, values]) => [name, mean(values)] as const), x };
}

/** Measured 1.2e-4; other seeds end 4 to 11 % apart. */
const LOSS_BOUND = 0.005;
/** Root mean square; the modes are 1 from the middle. Measured 0.004. */
const SAMPLE_BOUND = 0.02;

test("DMD2 on eight Gaussians: in f16 the losses end where those of f32 do, and the samples too", async () => {
  const backend = await testBackend();
  if (!backend.storesHalf) return console.log(`${backend.info.name} has no shader-f16`);
  const [whole, kept] = [await finish(backend, {}), await finish(backend, half)];
  whole.losses.forEach(([name, loss], i) => {
    const apart = Math.abs(kept.losses[i][1] / loss - 1);
    console.log(`${name}: ${loss} in f32, ${kept.losses[i][1]} in f16`);
    assert.ok(apart < LOSS_BOUND, `${name}: ${100 * apart} % apart`);
  });
  const distance = Math.sqrt(whole.x.reduce((sum, value, i) => sum + (value - kept.x[i]) ** 2, 0) / whole.x.length);
  console.log(`samples: ${distance} apart`);
  assert.ok(distance < SAMPLE_BOUND, `samples are ${distance} apart`);
});

test("a run in f16 holds at its peak what was foretold", async () => {
  const backend = await testBackend();
  const resolved = experiment(half, 2);
  const container = await composeRun(resolved, backend, {});
  const plan = await planRun(container, resolved.settings, backend);
  await container.dispose();
  const before = backend.liveBytes;
  const run = await Run.create({ resolved, backend });
  let peak = 0;
  run.bus.listen(() => {
    peak = Math.max(peak, backend.liveBytes - before);
  });
  await run.start();
  await run.dispose();
  const beside = peak - plan.peakBytes;
  assert.ok(Math.abs(beside) < 64 * 1024, `${peak} bytes, foretold were ${plan.peakBytes}`);
});

test.run();
