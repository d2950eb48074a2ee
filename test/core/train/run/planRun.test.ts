import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import { WasmBackend } from "../../../../backends/wasm/mod.ts";
import { OnestepError } from "../../../../core/errors.ts";
import type { Program } from "../../../../core/graph/program.ts";
import type { Backend } from "../../../../core/interfaces/backend.ts";
import { Registry } from "../../../../core/plugin/mod.ts";
import { checkCapacity, composeRun, planRun, Run, type RunPlan, resolveConfig } from "../../../../core/train/mod.ts";
import { allPlugins } from "../../../../plugins/all.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import { thrown } from "../../../helpers/thrown.ts";
import { noiseImages, statesOf, tinyConfig, tinyRun } from "../support.ts";

const test = suite("core/train/planRun");
type Resolved = ReturnType<typeof tinyConfig>;

async function planOf(resolved: Resolved, backend: Backend): Promise<RunPlan> {
  const container = await composeRun(resolved, backend, {});
  const plan = await planRun(container, resolved.settings, backend);
  await container.dispose();
  return plan;
}

/** The tiny experiment on images, with a U-Net. */
const unetConfig = (train: object = {}): Resolved => {
  const { config } = tinyConfig();
  return resolveConfig(
    {
      ...config,
      dataset: { use: "noise-images" },
      network: { use: "adm", channels: 8, channelMult: [1, 2], blocks: 2, attention: [4] },
      method: { ...config.method, teacher: { steps: 2, batch: 32 } },
      train: { ...config.train, steps: 3, batch: 32, ...train },
    },
    new Registry().register([...allPlugins, noiseImages]),
  );
};

test("a run holds at its peak what was foretold", async () => {
  const backend = await WasmBackend.open({ threads: 1 });
  for (const train of [{}, { accumulate: 2, batch: 4, diagnoseEvery: 2, sampleEvery: 3 }]) {
    const resolved = tinyConfig({ train });
    const plan = await planOf(resolved, backend);
    const before = backend.liveBytes;
    const run = await Run.create({ resolved, backend });
    let peak = 0;
    run.bus.listen(() => {
      peak = Math.max(peak, backend.liveBytes - before);
    });
    await run.start();
    await run.dispose();
    assert.is(backend.liveBytes, before);
    // A state is rounded up to a cache line.
    const rounding = peak - plan.peakBytes;
    assert.ok(rounding >= 0 && rounding < 64 * plan.states.size, `${peak}, ${plan.peakBytes}`);
  }
  await backend.close();
});

test("a run compiles what its plan has measured, and traces nothing again", async () => {
  const backend = await WasmBackend.open({ threads: 1 });
  const { footprint, compile } = WasmBackend.prototype;
  const measured = new Set<Program>();
  const compiled = new Set<Program>();
  backend.footprint = (program) => {
    measured.add(program);
    return footprint.call(backend, program);
  };
  backend.compile = (program, memory) => {
    compiled.add(program);
    return compile.call(backend, program, memory);
  };
  const run = await Run.create({ resolved: tinyConfig({ train: { diagnoseEvery: 2, sampleEvery: 3 } }), backend });
  await run.start();
  await run.dispose();
  assert.ok(compiled.size > 6);
  for (const program of compiled) assert.ok(measured.has(program), program.name);
  await backend.close();
});

test("planning allocates nothing and leaves the config's stages apart", async () => {
  const backend = await WasmBackend.open({ threads: 1 });
  const before = backend.liveBytes;
  const plan = await planOf(tinyConfig(), backend);
  assert.is(backend.liveBytes, before);
  assert.equal(
    plan.stages.map(({ stage, programs }) => [stage, programs.length]),
    [
      // Each update, the readings of each role's weights, and the probe of the run's health.
      ["teacher", 1 + 1],
      ["distillation", 3 + 2 + 1],
      ["samples", 3],
    ],
  );
  assert.ok(plan.parameters.critic > plan.parameters.teacher);
  assert.is(plan.states.get("teacher.weights.0"), plan.states.get("generator.weights.0"));
  const alone = await planOf(tinyConfig({ method: { teacher: { steps: 0 } } }), backend);
  assert.equal(
    alone.stages.map(({ stage }) => stage),
    ["distillation", "samples"],
  );
  await backend.close();
});

test("a run that does not fit is refused before its folder is touched", async () => {
  const backend = new ReferenceBackend() as Backend & { capacity?: number; capacityHint?: string };
  const { peakBytes } = await planOf(tinyConfig(), backend);
  const files = memoryFiles();
  const create = () =>
    tinyRun({}, { backend, output: { files, path: "out" } }).then(
      () => undefined,
      (error) => error as OnestepError,
    );
  backend.capacity = peakBytes - 1;
  const error = await create();
  assert.instance(error, OnestepError);
  assert.is(error!.code, "E_DEVICE_LIMIT");
  assert.match(error!.message, /^Cannot run on .*: drawing samples needs .* MiB, the device has /);
  assert.match(error!.fix, /^draw fewer samples at a time, such as --set train\.drawBatch=10; /);
  assert.is(files.contents.size, 0);
  assert.is(backend.liveBytes, 0);
  backend.capacityHint = "use Node 24";
  assert.match((await create())!.fix, /what else would fit; or use Node 24$/);
  const expected: number[] = [];
  backend.expect = (bytes) => void expected.push(bytes);
  await create();
  assert.equal(expected, []);
  backend.capacity = peakBytes;
  assert.is(await create(), undefined);
  assert.equal(expected, [peakBytes], "the device is told before it is filled");
});

test("a capacity given by hand wins over the device's", async () => {
  const backend = new ReferenceBackend();
  const plan = await planOf(tinyConfig(), backend);
  checkCapacity(plan, backend);
  checkCapacity(plan, backend, plan.peakBytes);
  assert.is(thrown(() => checkCapacity(plan, backend, 1000)).code, "E_DEVICE_LIMIT");
});

test("train.checkpointing repeats blocks: less memory, the same run", async () => {
  const backend = await WasmBackend.open({ threads: 1 });
  const scratch = ({ stages }: RunPlan) =>
    stages.slice(0, 2).map(({ programs }) => Math.max(...programs.map((p) => p.footprint.planned)));
  const [kept, repeated] = [unetConfig(), unetConfig({ checkpointing: "blocks" })];
  const [before, after] = [await planOf(kept, backend), await planOf(repeated, backend)];
  for (const [i, bytes] of scratch(before).entries())
    assert.ok(scratch(after)[i] < 0.6 * bytes, `${scratch(after)[i]} of ${bytes} bytes`);
  const results = [];
  for (const resolved of [kept, repeated]) {
    const run = await Run.create({ resolved, backend });
    await run.start();
    results.push(await statesOf(run));
    await run.dispose();
  }
  assert.equal(results[1], results[0]);
  await backend.close();
});

test.run();
