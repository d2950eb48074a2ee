// Configs, weights files and checkpoints as version 0.1.0 wrote them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { classLabel } from "../../../../core/interfaces/mod.ts";
import { encodeSafetensors } from "../../../../core/io/safetensors.ts";
import { modernised, modernShape } from "../../../../core/train/config/version1.ts";
import { decodeWeights, type RunConfig, resolveConfig } from "../../../../core/train/mod.ts";
import { rectifiedFlow } from "../../../../plugins/mod.ts";
import { largestError } from "../../../helpers/close.ts";
import { projectRoot } from "../../../helpers/golden.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import { registry, statesOf, tiny, tinyConfig, tinyRun } from "../support.ts";

const test = suite("core/train/version1");

/** The tiny experiment in the words of 0.1.0. */
const { method: _, ...rest } = tiny;
const old = {
  ...rest,
  train: { ...tiny.train, ttur: { critic: 3 }, teacher: { steps: 4, batch: 2 } },
} as unknown as RunConfig;

test("modernised: options of train that belong to the method, which is dmd2", () => {
  assert.equal(modernised({ network: { use: "mlp" } }), {
    network: { use: "mlp" },
    method: { use: "dmd2" },
  });
  assert.equal(
    modernised({
      train: {
        steps: 7,
        ttur: { critic: 3, generator: 2, exclusive: true },
        criticImages: "fresh",
        teacher: { steps: 4 },
      },
    }),
    {
      method: {
        use: "dmd2",
        ttur: { critic: 3, generator: 2, exclusive: true },
        criticImages: "fresh",
        teacher: { steps: 4 },
      },
      train: { steps: 7 },
    },
  );
});

test("modernised: the section schedule is process, and lies over one that is there", () => {
  const { process, schedule } = modernised({
    process: { use: "discrete", start: "unit" },
    schedule: { use: "discrete", betaEnd: 0.02 },
  }) as Record<string, unknown>;
  assert.equal(process, { use: "discrete", start: "unit", betaEnd: 0.02 });
  assert.is(schedule, undefined);
});

test("modernised: samplers have neither start nor a table of levels; a time scale is called so", () => {
  const sampler = (given: object) => (modernised({ sampler: given }) as { sampler: object }).sampler;
  const schedule = { betaStart: 1e-4, betaEnd: 0.02, count: 1000 };
  assert.equal(sampler({ use: "ddim", steps: 9, schedule, start: "unit" }), {
    use: "ddim",
    steps: 9,
  });
  assert.equal(sampler({ use: "edm-ablation", schedule: "vp" }), {
    use: "edm-ablation",
    timeScale: "vp",
  });
  const today = { sampler: { use: "mine", start: 3 }, method: { use: "dmd2" } };
  assert.equal(modernised(today), today);
});

test("modernised: configs of today come back as they are, and twice is once", () => {
  assert.equal(modernised(tiny), tiny);
  assert.equal(modernised(modernised(old)), modernised(old));
  assert.equal(old.train, { ...tiny.train, ttur: { critic: 3 }, teacher: { steps: 4, batch: 2 } });
});

test("resolveConfig: a config of 0.1.0 is the same run", () => {
  assert.equal(resolveConfig(old, registry()).config, tinyConfig().config);
  const flow = { ...old, schedule: { use: "rectified-flow" } } as RunConfig;
  const { config } = resolveConfig(flow, registry().register([rectifiedFlow]));
  assert.is(config.process?.use, "rectified-flow");
});

test("resolveConfig: criticStepsPerGeneratorStep is short for ttur, and wins over it", () => {
  const { config } = tinyConfig({
    train: { ttur: { critic: 7, generator: 2 }, criticStepsPerGeneratorStep: 4 },
  });
  const { ttur } = config.method as unknown as { ttur: object };
  assert.equal(ttur, { critic: 4, generator: 1, exclusive: false });
  assert.not.ok("criticStepsPerGeneratorStep" in config.train!);
});

test("modernShape: classes are an entry label, texts are entries with what stands for none", () => {
  const plain = { sample: [3, 8, 8], sigmaData: 0.5 };
  assert.equal(modernShape({ ...plain, classes: 0 }), { ...plain, condition: {} });
  assert.equal(modernShape({ ...plain, classes: 10 }), { ...plain, condition: classLabel(10) });
  assert.equal(modernShape({ ...plain, condition: {} }), { ...plain, condition: {} });
  const text = { tokens: 77, width: 768 };
  assert.equal(modernShape({ ...plain, classes: 0, text }).condition, {
    text: { shape: [77, 768], dtype: "f32" },
  });
  const sdxl = { tokens: 77, width: 2048, pooled: 1280, unconditional: ["text"] };
  assert.equal(modernShape({ ...plain, classes: 0, text: sdxl }).condition, {
    text: { shape: [77, 2048], dtype: "f32", empty: "stored" },
    pooled: { shape: [1280], dtype: "f32", empty: "zero" },
    timeIds: { shape: [6], dtype: "f32", empty: "same" },
  });
});

test("decodeWeights: weights of 0.1.0", () => {
  const info = {
    role: "generator",
    data: { sample: [2], classes: 2, sigmaData: 1 },
    config: JSON.parse(JSON.stringify(old)),
  };
  const w = { dtype: "F32" as const, shape: [1], data: Float32Array.of(3) };
  const decoded = decodeWeights(encodeSafetensors({ w }, { onestep: JSON.stringify(info) }), "g");
  assert.equal(decoded.info.data, { sample: [2], condition: classLabel(2), sigmaData: 1 });
  assert.equal(decoded.info.config, modernised(info.config));
  assert.equal([...decoded.tensors.w.data], [3]);
  const hostile = { ...info, data: { ...info.data, classes: -1 } };
  assert.equal(modernShape(hostile.data).condition, {}, "no class is what 0.1.0 called 0");
});

test("a folder that 0.1.0 has left after three steps of distillation is resumed", async () => {
  const files = memoryFiles();
  for (const name of ["config.json", "manifest.msgpack", "distillation-3.safetensors"]) {
    const bytes = readFileSync(join(projectRoot(), "test/core/train/config/run-0.1.0", name));
    const folder = name === "config.json" ? "out" : "out/checkpoint";
    await files.write(`${folder}/${name}`, new Uint8Array(bytes));
  }
  const config = JSON.parse(new TextDecoder().decode(await files.read("out/config.json")));
  assert.not("method" in config);
  const output = { files, path: "out", existing: "resume" } as const;
  const { run } = await tinyRun({}, { resolved: resolveConfig(config, registry()), output });
  assert.equal(
    Object.values(run.trainer.players).map(({ updates }) => updates),
    [4, 1, 3],
  );
  assert.is((await run.start()).reason, "complete");
  const { run: whole } = await tinyRun({ dataset: { use: "sides" } });
  await whole.start();
  const [found, expected] = [await statesOf(run), await statesOf(whole)];
  assert.equal(Object.keys(found), Object.keys(expected));
  // Equal on the machine that wrote the folder; exp and log of another may differ in a last digit.
  for (const [name, values] of Object.entries(found)) assert.ok(largestError(values, expected[name]) < 1e-6, name);
  assert.is(JSON.parse(new TextDecoder().decode(await files.read("out/config.json"))).method.use, "dmd2");
  await run.dispose();
  await whole.dispose();
});

test.run();
