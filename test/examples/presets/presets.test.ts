// Every preset of the official runs: each number of their table (spec/dmd2.md, section 11), and two steps of it on made-up
// files, with a network of the same kind but tiny.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { OnestepError } from "../../../core/errors.ts";
import { classLabel, type DataShape, METHOD, TEACHER } from "../../../core/interfaces/mod.ts";
import { encodeSafetensors, type StoredTensor } from "../../../core/io/safetensors.ts";
import { initialise, layoutOf, unpackArenas } from "../../../core/nn/mod.ts";
import { Registry } from "../../../core/plugin/mod.ts";
import { composeRun, mergeConfig, Run, type RunConfig, resolveConfig } from "../../../core/train/mod.ts";
import { composeSampling } from "../../../core/train/run/compose.ts";
import { presets } from "../../../examples/cli/presets.ts";
import { allPlugins } from "../../../plugins/all.ts";
import { bytes, dataFolder, type FolderContent, floats, longs } from "../../helpers/datasets.ts";
import type { MemoryFiles } from "../../helpers/memoryFiles.ts";
import { compose } from "../../plugins/support.ts";

const test = suite("examples/presets");
const registry = new Registry().register(allPlugins);
const configs = new Map<string, RunConfig>();
for (const [name, { config }] of Object.entries(presets)) configs.set(name, await config());
const resolved = (name: string, over: unknown = {}) => resolveConfig(mergeConfig(configs.get(name)!, over), registry);

/** A row of the table: what a preset has in each cell, "-" for a loss that is left out. */
interface Row {
  readonly lr: number;
  readonly K: number;
  readonly gan: readonly [generator: number, discriminator: number] | "-";
  readonly guidance: number | "-";
  readonly input: object;
  readonly fakeLoss: "network" | "x0";
  readonly batch: number;
  readonly steps: number;
  readonly start: readonly string[];
  readonly warmup: number;
}
const T = ["teacher"];
const SECOND = ["teacher", "generator", "critic"];
const edm = { input: { sigmas: [80] }, guidance: "-", fakeLoss: "network", K: 5 } as const;
const sd = { guidance: 1.75, fakeLoss: "network", K: 10, batch: 2048, warmup: 8 } as const;
const sdxl = { guidance: 8, fakeLoss: "network", K: 5, batch: 128, warmup: 8 } as const;
const four = { timesteps: [999, 749, 499, 249], inputs: "simulated", drawStep: "batch" };
const gan = [5e-3, 1e-2] as const;
// biome-ignore format: a table
const table: Record<string, Row> = {
  imagenet64:          { ...edm, lr: 2e-6, gan: [3e-3, 1e-2], batch: 280, steps: 200_000, start: T, warmup: 72 },
  "imagenet64-no-gan": { ...edm, lr: 2e-6, gan: "-", batch: 280, steps: 400_000, start: T, warmup: 72 },
  "imagenet64-longer": { ...edm, lr: 5e-7, gan: [3e-3, 1e-2], batch: 280, steps: 150_000, start: SECOND, warmup: 72 },
  "sd15-stage1":       { ...sd, lr: 1e-5, gan: "-", input: { timesteps: [999] }, steps: 40_000, start: T },
  "sd15-stage2":       { ...sd, lr: 5e-7, gan: [1e-3, 1e-2], input: { timesteps: [999] }, steps: 5000, start: SECOND },
  "sdxl-4step":        { ...sdxl, lr: 5e-7, gan, input: four, steps: 20_000, start: T },
  "sdxl-4step-lora":   { ...sdxl, lr: 5e-5, gan, input: four, steps: 16_000, start: T },
  "sdxl-1step":        { ...sdxl, lr: 5e-7, gan, input: { timesteps: [399] }, steps: 25_000, start: ["teacher", "generator"] },
  cifar10:             { ...edm, K: 4, fakeLoss: "x0", lr: 1e-4, gan: [1e-3, 1], batch: 2048, steps: 100_000, start: T, warmup: 0 },
};

test("weights of every preset can be drawn from: its method is made where nothing is trained", async () => {
  const backend = await WasmBackend.open({ threads: 1 });
  for (const name of configs.keys()) {
    const ground = /^(gaussians|mnist)/.exec(name)?.[0];
    if (!ground) continue;
    const { plugins, config } = resolved(name);
    const classes = ground === "mnist" ? 10 : config.dataset.classes ? 8 : 0;
    const sample = ground === "mnist" ? [1, 16, 16] : [2];
    const drawing = composeSampling(plugins, backend, { sample, condition: classLabel(classes), sigmaData: 0.5 });
    const { samplers } = drawing.get(METHOD);
    assert.ok(samplers.teacher && samplers.generator, name);
  }
  await backend.close();
});

test("the table has every preset of DMD2 that starts from a pretrained teacher", () => {
  const pretrained = [...configs].flatMap(([name, { start, method }]) =>
    start && method.use === "dmd2" ? [name] : [],
  );
  assert.equal(pretrained.sort(), Object.keys(table).sort());
});

for (const [name, row] of Object.entries(table))
  test(`${name}: every cell of the table`, () => {
    // biome-ignore lint/suspicious/noExplicitAny: a config holds options of any plugin
    const config = resolved(name).config as any;
    const { losses, optimizers, method, train, teacher, generator } = config;
    for (const role of ["generator", "critic"]) {
      const { lr, beta1, beta2, weightDecay, clip, warmup, decay } = optimizers[role];
      assert.equal([lr, beta1, beta2, weightDecay, clip], [row.lr, 0.9, 0.999, 0.01, 10], role);
      assert.equal([warmup, decay], [row.warmup, "none"], role);
    }
    const { ttur, criticImages } = method;
    const { seed, batch, steps } = train;
    const exclusive = name === "cifar10";
    assert.is(method.use, "dmd2");
    assert.equal(ttur, { critic: row.K, generator: 1, exclusive });
    assert.is(criticImages, exclusive ? "fresh" : "shared");
    assert.equal([seed, batch, steps, method.teacher.steps], [10, row.batch, row.steps, 0]);
    const weights = ["gan-generator", "gan-discriminator"].map((loss) => losses[loss]?.weight);
    assert.equal(weights, row.gan === "-" ? [undefined, undefined] : [...row.gan]);
    for (const loss of ["gan-generator", "gan-discriminator"].filter((each) => losses[each]))
      assert.equal([losses[loss].diffused, losses[loss].maxStep], [true, 1], loss);
    assert.is(config.critic.head, row.gan !== "-");
    const { weight, minStep, maxStep, levels } = losses["distribution-matching"];
    assert.equal([weight, minStep, maxStep, levels], [1, 0.02, 0.98, 1000]);
    assert.is(losses["fake-score"].target, row.fakeLoss);
    assert.equal(teacher.guidanceScale ?? "-", row.guidance);
    for (const [option, value] of Object.entries(row.input)) assert.equal(generator[option], value, option);
    assert.is(generator.lora.rank, name === "sdxl-4step-lora" ? 64 : 0);
    assert.is(generator.lora.alpha, 8);
    assert.is("process" in config, name.startsWith("sd"));
    assert.equal(config.start, Object.fromEntries(row.start.map((role) => [role, null])));
    const averaged = { use: "ema-constant", beta: 0.9999, warmUp: false, unbiased: false };
    assert.equal(config.averages, exclusive ? { generator: averaged } : {});
  });

/** The data as they really are: sample, classes, text. */
const real: Record<string, [data: Omit<DataShape, "sigmaData">, parameters: number]> = {
  imagenet64: [{ sample: [3, 64, 64], condition: classLabel(1000) }, 295_899_267],
  "sd15-stage1": [
    {
      sample: [4, 64, 64],
      condition: { text: { shape: [77, 768], dtype: "f32", empty: "stored" } },
    },
    859_520_964,
  ],
  "sdxl-4step": [
    {
      sample: [4, 128, 128],
      condition: {
        text: { shape: [77, 2048], dtype: "f32", empty: "zero" },
        pooled: { shape: [1280], dtype: "f32", empty: "zero" },
        timeIds: { shape: [6], dtype: "f32", empty: "same" },
      },
    },
    2_567_463_684,
  ],
  cifar10: [{ sample: [3, 32, 32], condition: classLabel(10) }, 55_735_299],
};
for (const [name, [data, parameters]] of Object.entries(real))
  test(`${name}: the teacher has ${parameters} parameters, as the official one`, () => {
    const shape = { ...data, sigmaData: 0.5 };
    const plugins = resolved(name).plugins.filter(({ kind }) => kind !== "dataset");
    const teacher = compose(shape, ...plugins).get(TEACHER);
    assert.is(layoutOf((scope) => teacher.declare(scope)).count, parameters);
  });

/** Numbers of a network that is the preset's but for its width, and of a run of two steps. */
const small = { steps: 2, checkpointEvery: 0, evaluateCount: 2 };
const narrow = {
  imagenet64: {
    network: { channels: 8, blocks: 1, channelsPerHead: 16 },
    sampler: { steps: 2 },
    train: { ...small, batch: 2, accumulate: 2 },
  },
  sd15: {
    network: { channels: [32, 32, 32, 32], layersPerBlock: [1] },
    sampler: { steps: 2 },
    train: { ...small, batch: 2, accumulate: 2 },
  },
  sdxl: {
    network: {
      channels: [32, 32, 32],
      layersPerBlock: [1],
      heads: [1, 2, 4],
      transformerLayers: [1, 1, 2],
      timeIdWidth: 4,
    },
    sampler: { steps: 2 },
    train: { ...small, batch: 2, accumulate: 2 },
  },
  cifar10: {
    network: { channels: 8, blocks: 1 },
    dataset: { batches: 1 },
    sampler: { steps: 2 },
    train: { ...small, batch: 2, accumulate: 2 },
  },
};
const ramp = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * i + count));
const byteRamp = (count: number) => Uint8Array.from({ length: count }, (_, i) => i & 255);
const filled = (shape: number[]) => floats(shape, ramp(shape.reduce((a, b) => a * b, 1)));
const record = () => Uint8Array.of(3, ...byteRamp(3072));

/** What a user brings for each kind of data. */
const folders: Record<keyof typeof narrow, FolderContent> = {
  imagenet64: {
    "a.safetensors": { x: bytes([2, 3, 64, 64], byteRamp(2 * 12288)), label: longs([999, 7]) },
  },
  sd15: {
    "a.safetensors": { x: filled([3, 4, 16, 16]), text: filled([3, 5, 12]) },
    "empty.safetensors": { "unconditional.text": filled([5, 12]) },
  },
  sdxl: {
    "a.safetensors": {
      x: filled([3, 4, 8, 8]),
      text: filled([3, 5, 12]),
      pooled: filled([3, 6]),
      timeIds: filled([3, 6]),
    },
  },
  cifar10: { "data_batch_1.bin": record(), "test_batch.bin": record() },
};
const kindOf = (name: string) => name.replace(/-.*/, "") as keyof typeof narrow;

const backends: WasmBackend[] = [];
test.before(async () => void backends.push(await WasmBackend.open()));
test.after(async () => {
  for (const backend of backends) await backend.close();
});

/** A folder with the user's files: data, and weights of a teacher that nothing has trained. */
async function folderFor(name: string): Promise<MemoryFiles> {
  const { files } = dataFolder(folders[kindOf(name)]);
  const container = await composeRun(resolved(name, narrow[kindOf(name)]), backends[0], {
    files,
    path: "data",
  });
  const layout = layoutOf((scope) => container.get(TEACHER).declare(scope));
  const weights = unpackArenas(layout, initialise(layout, 1));
  const stored = Object.entries(weights).map(([key, { shape, data }]): [string, StoredTensor] => [
    key,
    { dtype: "F32", shape, data },
  ]);
  await files!.write("teacher.safetensors", encodeSafetensors(Object.fromEntries(stored)));
  await container.dispose();
  return files as MemoryFiles;
}

const FILES = {
  teacher: "teacher.safetensors",
  generator: "one/generator.safetensors",
  critic: "one/critic.safetensors",
};
async function runOf(name: string, files: MemoryFiles, path: string, start: readonly string[]) {
  const given = Object.fromEntries(Object.entries(FILES).filter(([role]) => start.includes(role)));
  const run = await Run.create({
    resolved: resolved(name, mergeConfig(narrow[kindOf(name)], { start: given })),
    backend: backends[0],
    data: { files, path: "data" },
    output: { files, path },
  });
  const turns: string[] = [];
  run.bus.on("role/updated", ({ role, step }) => void turns.push(`${role}${step}`));
  await run.start();
  await run.dispose();
  return turns.join(" ");
}
/** The stage that gives a second one its weights. */
const before: Record<string, string> = {
  "imagenet64-longer": "imagenet64-no-gan",
  "sd15-stage2": "sd15-stage1",
  "sdxl-1step": "sdxl-4step",
};
/** Folders of the runs before, by preset. */
const finished = new Map<string, MemoryFiles>();

for (const [name, { start }] of Object.entries(table))
  test(`${name}: two steps on a user's files`, async () => {
    const files = await folderFor(name);
    const stageOne = finished.get(before[name]);
    for (const role of before[name] ? (["generator", "critic"] as const) : [])
      await files.write(FILES[role], stageOne!.contents.get(`out/${role}.safetensors`)!);
    const turns = await runOf(name, files, "out", start);
    finished.set(name, files);
    const both = "generator0 critic0 critic1";
    assert.is(turns, name === "cifar10" ? "critic0 critic1" : both);
    for (const role of ["generator", "critic"]) assert.ok(files.contents.has(`out/${role}.safetensors`), role);
  });

const lcm = { "sd15-lcm": { guidanceScale: 8, rank: 0 }, "sdxl-lcm-lora": { guidanceScale: undefined, rank: 64 } };
for (const [name, { guidanceScale, rank }] of Object.entries(lcm))
  test(`${name}: the numbers of the public script, and two steps on a user's files`, async () => {
    // biome-ignore lint/suspicious/noExplicitAny: a config holds options of any plugin
    const { generator, teacher, losses, optimizers, averages } = resolved(name).config as any;
    assert.equal([generator.guidanceScale, generator.lora.rank, teacher.guidanceScale], [guidanceScale, rank, 1]);
    assert.equal([generator.timesteps, generator.scaling, generator.sigmaData], [[999, 759, 499, 259], 10, 0.5]);
    const { grid, distance, huberC, target } = losses["latent-consistency"];
    assert.equal([generator.guidanceMin, generator.guidanceMax], [6, 16]);
    assert.equal([grid, distance, huberC], [50, "huber", 1e-3]);
    assert.equal([target, averages["generator/target"]?.beta], rank ? ["generator", undefined] : ["target", 0.95]);
    const { lr, weightDecay, clip, warmup } = optimizers.generator;
    assert.equal([lr, weightDecay, clip, warmup], [1e-4, 0.01, 1, 500]);
    const files = await folderFor(name);
    assert.is(await runOf(name, files, "out", T), "generator0 generator1");
    assert.ok(files.contents.has("out/generator.safetensors"));
  });

test("sdxl-1step-warmup: the numbers of the official run, and two steps on a user's files", async () => {
  // biome-ignore lint/suspicious/noExplicitAny: a config holds options of any plugin
  const config = resolved("sdxl-1step-warmup").config as any;
  const { generator, teacher, sampler, losses, optimizers, averages, train } = config;
  assert.equal([generator.timesteps, generator.lora.rank, teacher.guidanceScale], [[399], 0, 8]);
  assert.equal([sampler.use, sampler.steps, sampler.spacing, sampler.startAtLevel], ["euler", 50, "trailing", true]);
  assert.equal(Object.keys(losses), ["knowledge-distillation"]);
  assert.equal([Object.keys(optimizers), averages], [["generator"], {}]);
  const { lr, beta1, beta2, weightDecay, clip, warmup } = optimizers.generator;
  assert.equal([lr, beta1, beta2, weightDecay, clip, warmup], [1e-5, 0.9, 0.999, 0.01, 0, 8]);
  assert.equal([train.steps, train.batch, train.seed], [2000, 256, 10]);
  const files = await folderFor("sdxl-1step-warmup");
  assert.is(await runOf("sdxl-1step-warmup", files, "out", T), "generator0 generator1");
});

test("sd15-instaflow: reflow on the guided teacher's pairs, then distillation, on a user's files", async () => {
  // biome-ignore lint/suspicious/noExplicitAny: a config holds options of any plugin
  const { method, teacher, train } = resolved("sd15-instaflow").config as any;
  assert.equal([method.use, method.rounds, method.lastSteps, teacher.use], ["reflow", 1, 1, "guided"]);
  assert.equal([train.steps, train.batch], [134_500, 1024]);
  const files = await folderFor("sd15-instaflow");
  assert.is(await runOf("sd15-instaflow", files, "out", T), "generator0 generator0");
  assert.ok(files.contents.has("out/generator.safetensors"));
});

test("without the files that it needs, a preset says which to give", async () => {
  const files = await folderFor("imagenet64");
  for (const start of [[], T]) {
    const error = await runOf("imagenet64-longer", files, "out", start).catch((e) => e);
    assert.instance(error, OnestepError);
    assert.match(
      error.fix,
      /^give the file of the (teacher|generator)'s weights with --set start\.(teacher|generator)=FILE(;|$)/,
    );
    assert.not.ok(await files.exists("out"));
  }
});

test.run();
