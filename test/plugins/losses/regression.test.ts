import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { failure, type OnestepError } from "../../../core/errors.ts";
import { grad } from "../../../core/graph/mod.ts";
import {
  classLabel,
  DATA_FOLDER,
  type DataShape,
  GENERATOR,
  LOSSES,
  type LossContext,
  SAMPLER,
  TEACHER,
} from "../../../core/interfaces/mod.ts";
import { encodePairs, type Pairs } from "../../../core/io/mod.ts";
import { encodeSafetensors, type StoredTensor } from "../../../core/io/safetensors.ts";
import { add, broadcastTo, mul, reshape, toFloat } from "../../../core/ops/mod.ts";
import { Registry } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { withNeeded } from "../../../core/train/config/needs.ts";
import {
  composeSampling,
  drawPairs,
  mergeConfig,
  Player,
  Run,
  type RunConfig,
  resolveConfig,
  SampleDrawer,
  teacherFingerprint,
} from "../../../core/train/mod.ts";
import { allPlugins, dmd } from "../../../plugins/all.ts";
import { regression } from "../../../plugins/losses/regression.ts";
import { evaluateOn } from "../../conformance/feed.ts";
import { beginAll } from "../../core/train/support.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { vggFile, vggLayout } from "../extractors/vggFile.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/losses/regression");

const backend = await WasmBackend.open();

const plane: DataShape = { sample: [2], condition: {}, sigmaData: 0.7 };

const registry = new Registry().register(allPlugins);

/** The loss with the extractor it may need, of a generator that starts from 3·z at σ = 3. */
function lossOf(options: Parameters<typeof regression>[0], shape = plane, files = memoryFiles()) {
  const container = compose(shape, ...withNeeded([regression(options)], registry));
  container.value(GENERATOR, { sigmas: [3] } as never).value(DATA_FOLDER, { files });
  return container.all(LOSSES)[0];
}

test("l2 and huber: by hand, and with a gradient to the generator", async () => {
  const feed = new Feed();
  const z = feed.tensor("z", [2, 2], [1, 2, -1, 0]);
  const y = feed.tensor("y", [2, 2], [0, 0, 1, 1]);
  const label = feed.tensor("label", [2], [1, 0], "i32");
  const gain = feed.tensor("gain", [1], [0.5]);
  // G(x; σ) = gain·x + σ/10 + label
  const denoise = (x: Tensor, sigma: Tensor, condition: { label?: Tensor }) => {
    const shift = add(mul(sigma, 0.1), toFloat(condition.label!));
    const spread = broadcastTo(reshape(shift, [2, 1]), { shape: [2, 2] });
    return add(mul(x, gain), spread);
  };
  const context = { generator: { denoise }, own: { z, y, label } } as unknown as LossContext;
  const l2 = lossOf({}).compute(context);
  const huber = lossOf({ distance: "huber", huberScale: 2 }).compute(context);
  const found = await evaluate({ l2, huber, slope: grad(l2, [gain])[0] }, feed);
  const errors = [1.5 + 1.3, 3 + 1.3, -1.5 + 0.3 - 1, 0.3 - 1];
  const squares = errors.map((each) => each ** 2);
  const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-5 * Math.abs(b), `${a}, ${b}`);
  near(found.l2[0], squares.reduce((a, b) => a + b) / 4);
  const c = 2 * Math.SQRT2;
  const sample = (a: number, b: number) => Math.sqrt(a + b + c * c) - c;
  near(found.huber[0], (sample(squares[0], squares[1]) + sample(squares[2], squares[3])) / 2);
  const x = [3, 6, -3, 0];
  near(
    found.slope[0],
    errors.reduce((total, each, i) => total + (2 * each * x[i]) / 4, 0),
  );
});

const made: Pairs = {
  shape: [3, 2],
  z: Float32Array.of(0, 1, 10, 11, 20, 21),
  y: Float32Array.of(5, 6, 15, 16, 25, 26),
};
const info = { teacher: "a".repeat(64), sampler: { use: "heun" }, seed: 0, nfe: 1 };

/** A loss that has read these pairs. */
async function loaded(pairs: Pairs, shape = plane, more: Parameters<typeof regression>[0] = {}) {
  const files = memoryFiles({ p: encodePairs(pairs, info) });
  const loss = lossOf({ pairs: "p", ...more }, shape, files);
  await loss.load?.();
  return loss;
}
const refused = (attempt: Promise<unknown>) =>
  attempt.then(
    () => failure("E_USAGE", "nothing was refused"),
    (error: OnestepError) => error,
  );

test("own samples: z, y and label of the same pair, one draw each", async () => {
  const labelled = { ...plane, condition: classLabel(3) };
  const { own } = await loaded({ ...made, label: Int32Array.of(0, 1, 2) }, labelled);
  const draws = [0.9, 0, 0.4, 0.7];
  const batch = own!.batch(4, () => draws.shift()!);
  assert.equal([...batch.label], [2, 0, 1, 2]);
  assert.equal([...batch.z], [20, 21, 0, 1, 10, 11, 20, 21]);
  assert.equal([...batch.y], [25, 26, 5, 6, 15, 16, 25, 26]);
  assert.equal(own!.tensors.label, { shape: [], dtype: "i32" });
  assert.equal(Object.keys((await loaded(made)).own!.tensors), ["z", "y"]);
});

test("load: refuses pairs of other samples or classes, and options that name no file", async () => {
  const labelled = { ...plane, condition: classLabel(2) };
  const label = Int32Array.of(0, 1, 2);
  const all: [Promise<unknown>, string, RegExp][] = [
    [loaded(made, { ...plane, sample: [3] }), "E_PAIRS", /samples are \[2\], expected \[3\] as/],
    [loaded(made, labelled), "E_PAIRS", /have no classes, expected 2 classes/],
    [loaded({ ...made, label }), "E_PAIRS", /have classes, the dataset has none/],
    [loaded({ ...made, label }, labelled), "E_PAIRS", /one of class 2, expected 2 classes/],
    [loaded(made, plane, { pairs: "" }), "E_OPTION", /pairs is not given/],
    [loaded(made, plane, { pairs: "q" }), "E_FILE", /q/],
  ];
  for (const [attempt, code, says] of all) {
    const error = await refused(attempt);
    assert.is(error.code, code, error.message);
    assert.match(error.message, says);
  }
});

test("lpips: needs images it can see, and weights of its layers", async () => {
  const image = { sample: [1, 8, 8], condition: {}, sigmaData: 0.5 };
  const pairs = { shape: [1, 1, 8, 8], z: new Float32Array(64), y: numbers([64]) };
  const options = { distance: "lpips", lpipsWeights: "w" } as const;
  assert.throws(() => lossOf(options), /lpips and samples are \[2\], should be \[1 or 3, H, W\]/);
  assert.throws(() => lossOf({ ...options, lpipsSize: 0 }, image), /8 x 8, should be at least 16/);
  const files = memoryFiles({ p: encodePairs(pairs, info), w: encodeSafetensors({}) });
  const load = (lpipsWeights: string) =>
    refused(lossOf({ ...options, pairs: "p", lpipsWeights }, image, files).load!());
  const none = await load("");
  assert.is(none.code, "E_OPTION");
  assert.match(none.message, /^Cannot load vgg16: weights is not given/);
  const empty = await load("w");
  assert.is(empty.code, "E_CHECKPOINT");
  assert.match(
    empty.message,
    /^Cannot load vgg16 from w: \d+ names do not fit \(\d+ missing\): missing net\.slice1\.0\.weight; /,
  );
  for (const { name } of vggLayout.entries) assert.ok((empty.cause as Error).message.includes(`missing ${name}`));
});

test("lpips: takes the weights of a file, whatever else is in it", async () => {
  const image = { sample: [3, 8, 8], condition: {}, sigmaData: 0.5 };
  const [z, y] = [numbers([192]), numbers([192], 1)];
  const extra: StoredTensor = { dtype: "F32", shape: [1], data: Float32Array.of(5) };
  const files = memoryFiles({
    p: encodePairs({ shape: [1, 3, 8, 8], z, y }, info),
    w: vggFile({ "scaling_layer.shift": extra }),
  });
  const options = { pairs: "p", distance: "lpips", lpipsWeights: "w", lpipsSize: 16 } as const;
  const loss = lossOf(options, image, files);
  assert.equal(loss.frozen!(), [], "before they are read");
  await loss.load?.();
  const feed = new Feed();
  const [x, target] = [feed.tensor("x", [1, 3, 8, 8], z), feed.tensor("y", [1, 3, 8, 8], y)];
  const distanceTo = (made: Tensor) =>
    loss.compute({
      generator: { denoise: () => made },
      own: { z: x, y: target },
    } as unknown as LossContext);
  const far = distanceTo(x);
  const outputs = { far, none: distanceTo(target), slope: grad(far, [x])[0] };
  const found = await evaluateOn(backend, outputs, feed, loss.frozen!());
  assert.ok(found.far[0] > 0.01, `${found.far[0]}`);
  assert.is(found.none[0], 0);
  assert.ok(found.slope.every(Number.isFinite) && found.slope.some((each) => each !== 0));
});

test("checkTeacher: its own teacher only", async () => {
  const loss = await loaded(made);
  loss.checkTeacher?.(info.teacher);
  assert.throws(
    () => loss.checkTeacher?.("b".repeat(64)),
    /^Cannot train on the pairs of p: they are of teacher aaaaaaaaaaaa, this run's is bbbbbbbbbbbb$/,
  );
});

// A story: eight Gaussians with their exact denoiser as the teacher, and a generator that only regresses.
const story = (over: unknown = {}): RunConfig =>
  mergeConfig(
    mergeConfig(
      { ...dmd, dataset: { use: "gaussians" }, network: { use: "mlp", width: 64, depth: 3 } },
      {
        teacher: { use: "gaussian-mixture" },
        generator: { sigmas: [10] },
        sampler: { steps: 30, sigmaMax: 10 },
        losses: {
          "edm-denoising": false,
          "distribution-matching": false,
          "fake-score": { sigmaMax: 10 },
          regression: { pairs: "pairs", distance: "l2", weight: 1 },
        },
        optimizers: {
          generator: { lr: 3e-3, warmup: 20, decay: "cosine" },
          critic: { lr: 1e-3, warmup: 20 },
        },
        averages: { teacher: false },
        train: { steps: 600, batch: 128, evaluateCount: 16 },
      },
    ),
    over,
  );
/** Pairs of the story's teacher. */
async function teachersPairs(count: number, seed: number): Promise<Pairs> {
  const { plugins } = resolveConfig(story(), registry);
  const container = composeSampling(plugins, backend, plane);
  const memory = backend.createMemory();
  const player = new Player("teacher", container.get(TEACHER), memory);
  const sampler = container.get(SAMPLER);
  const drawer = await SampleDrawer.create(backend, memory, player, sampler, plane, count);
  return drawPairs(drawer, plane, { count, seed });
}
const fingerprint = await teacherFingerprint(resolveConfig(story(), registry).config, {});
const filesOf = async () =>
  memoryFiles({
    pairs: encodePairs(await teachersPairs(2000, 1), { ...info, teacher: fingerprint }),
  });
const runOf = (files: ReturnType<typeof memoryFiles>, over: unknown = {}, resume = false) =>
  Run.create({
    resolved: resolveConfig(story(over), registry),
    backend,
    data: { files },
    output: { files, path: "out", existing: resume ? "resume" : undefined },
  });
const weightsOf = async ({ trainer: { players } }: Run) =>
  Object.values(await players.generator.read("weights")).flatMap(({ data }) => [...data]);

test("story: a generator that only regresses gets near the teacher's samples of noise it has not seen", async () => {
  const run = await runOf(await filesOf());
  const { y } = await teachersPairs(500, 7);
  const distance = async () => {
    // Sample i of a seed starts from the noise of pair i.
    const { x } = await run.draw("generator", 500, 7);
    return x.reduce((total, each, i) => total + (each - y[i]) ** 2, 0) / x.length;
  };
  await beginAll(run.trainer);
  const before = await distance();
  await run.start();
  const after = await distance();
  await run.dispose();
  console.log(`mean (G(z) − y)²: ${before.toFixed(3)} before, ${after.toFixed(4)} after`);
  assert.ok(before > 0.3, `${before}`);
  assert.ok(after < 0.05, `${after}`);
});

test("a run that stops and goes on draws the pairs it would have drawn", async () => {
  const short = { train: { steps: 12, batch: 8 }, optimizers: { generator: { decay: "none" } } };
  const whole = await runOf(await filesOf(), short);
  await whole.start();
  const files = await filesOf();
  const first = await runOf(files, short);
  first.bus.on("step/end", ({ step }) => step === 4 && first.stop());
  await first.start();
  await first.dispose();
  const second = await runOf(files, short, true);
  await second.start();
  assert.equal(await weightsOf(second), await weightsOf(whole));
  for (const run of [whole, second]) await run.dispose();
});

test("a batch in parts is fed the same pairs", async () => {
  const short = (accumulate: number) => ({ train: { steps: 3, batch: 8, accumulate } });
  const [one, four] = await Promise.all(
    [1, 4].map(async (parts) => {
      const run = await runOf(await filesOf(), short(parts));
      await run.start();
      const weights = await weightsOf(run);
      await run.dispose();
      return weights;
    }),
  );
  const worst = one.reduce((most, each, i) => Math.max(most, Math.abs(each - four[i])), 0);
  assert.ok(worst < 1e-5, `${worst}`);
});

test("pairs of another teacher are refused before anything is written; a loss of weight 0 reads none", async () => {
  const files = await filesOf();
  const before = new Map(files.contents);
  const error = await refused(runOf(files, { teacher: { radius: 2 } }));
  assert.is(error.code, "E_PAIRS");
  assert.match(error.message, new RegExp(`of teacher ${fingerprint.slice(0, 12)}, this run's is`));
  assert.equal(files.contents, before);
  const renamed = { losses: { regression: false, mine: { use: "regression", pairs: "pairs" } } };
  assert.is((await refused(runOf(files, { ...renamed, teacher: { radius: 2 } }))).code, "E_PAIRS");
  const off = { losses: { regression: { weight: 0, pairs: "none" }, "distribution-matching": {} } };
  await (await runOf(files, off)).dispose();
});

test("pairs of another teacher than the one trained here are refused when it is trained", async () => {
  const trained = {
    teacher: { use: "edm" },
    losses: { "edm-denoising": {} },
    method: { teacher: { steps: 2, batch: 8 } },
    train: { steps: 2, batch: 8 },
  };
  const run = await runOf(await filesOf(), trained);
  const error = await refused(run.start());
  assert.is(error.code, "E_PAIRS");
  await run.dispose();
});

test("close", () => backend.close());

test.run();
