import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { classLabel, DATA_FOLDER, DATASET_SOURCE, type DataFolder } from "../../../core/interfaces/mod.ts";
import { hostRandom } from "../../../core/random/hostRandom.ts";
import { mnistDataset } from "../../../plugins/datasets/mnist.ts";
import { dataFolder } from "../../helpers/golden.ts";
import { idxBytes } from "../../helpers/idx.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { thrown } from "../../helpers/thrown.ts";
import { uniform } from "../../helpers/uniform.ts";
import { compose } from "../support.ts";

const test = suite("plugins/datasets/mnist");

type Options = NonNullable<Parameters<typeof mnistDataset>[0]>;
/** What the plugin makes of a folder. */
const loadFrom = (folder: DataFolder, options?: Options) =>
  compose({ sample: [], condition: {}, sigmaData: 1 }, mnistDataset(options))
    .value(DATA_FOLDER, folder, "the test")
    .get(DATASET_SOURCE);
const load = (files: ReturnType<typeof memoryFiles>, path: string, options?: Options) =>
  loadFrom({ files, path }, options);

/** Three training images and two test images with every byte different from its neighbours. */
const pixels = (count: number, seed: number) =>
  Uint8Array.from({ length: count * 784 }, (_, i) => (i * 31 + seed * 7 + (i >> 8)) & 0xff);
const images = idxBytes([3, 28, 28], pixels(3, 1));
const labels = idxBytes([3], Uint8Array.of(7, 0, 9));
const testImages = idxBytes([2, 28, 28], pixels(2, 2));
const testLabels = idxBytes([2], Uint8Array.of(1, 2));
const small = {
  "mnist/train-images-idx3-ubyte": images,
  "mnist/train-labels-idx1-ubyte": labels,
  "mnist/t10k-images-idx3-ubyte": testImages,
  "mnist/t10k-labels-idx1-ubyte": testLabels,
};
const never = () => assert.unreachable("indices need no random numbers") as never;

/** The preprocessing written the long way: pad to 32, mean of 2 x 2, / 127.5 - 1. */
function expected(image: Uint8Array, resolution: 16 | 28 | 32): number[] {
  const padded = (y: number, x: number, border: number) =>
    y < border || x < border || y >= 28 + border || x >= 28 + border ? 0 : image[(y - border) * 28 + x - border];
  return Array.from({ length: resolution ** 2 }, (_, i) => {
    const [y, x] = [Math.floor(i / resolution), i % resolution];
    const level =
      resolution === 16
        ? [0, 1, 2, 3].reduce((sum, k) => sum + padded(2 * y + (k >> 1), 2 * x + (k & 1), 2), 0) / 4
        : padded(y, x, (resolution - 28) / 2);
    return Math.fround(Math.fround(level / 127.5) - 1);
  });
}

for (const resolution of [16, 28, 32] as const)
  test(`${resolution} x ${resolution}: pixels and labels of the samples asked for`, async () => {
    const data = await load(memoryFiles(small), "mnist", { resolution });
    const sample = [1, resolution, resolution];
    assert.equal(data.shape, { sample, condition: classLabel(10), sigmaData: 0.5 });
    assert.is(data.size, 3);
    const { x, condition } = await data.batch([2, 0], never);
    assert.equal([...condition.label], [9, 7]);
    const image = (n: number) => images.subarray(16 + n * 784, 16 + (n + 1) * 784);
    assert.equal([...x], [...expected(image(2), resolution), ...expected(image(0), resolution)]);
    const held = await data.test!();
    const { label } = held.condition;
    assert.equal([held.count, [...label], held.x.length], [2, [1, 2], 2 * resolution ** 2]);
    assert.equal([...held.x.subarray(0, resolution ** 2)], expected(testImages.subarray(16, 800), resolution));
  });

test("a number draws at random, every sample about equally often, and repeats with the same numbers", async () => {
  const data = await load(memoryFiles(small), "mnist");
  const { label } = (await data.batch(3000, uniform(1))).condition;
  for (const digit of [7, 0, 9]) {
    const share = [...label].filter((value) => value === digit).length / 3000;
    assert.ok(Math.abs(share - 1 / 3) < 0.03, `${digit}: ${share}`);
  }
  assert.equal(await data.batch(9, uniform(4)), await data.batch(9, uniform(4)));
  assert.equal(await data.batch(data.choose!(9, uniform(4)), never), await data.batch(9, uniform(4)));
  assert.is((await data.batch(1, () => 1 - 2 ** -53)).condition.label[0], 9);
});

test("finds gzip, dotted and mixed spellings", async () => {
  const packed = (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes));
  const files = memoryFiles({
    "d/train-images.idx3-ubyte": images,
    "d/train-labels-idx1-ubyte.gz": packed(labels),
    "d/t10k-images.idx3-ubyte.gz": packed(testImages),
    "d/t10k-labels-idx1-ubyte": testLabels,
    "d/notes.txt": "x",
  });
  assert.is((await load(files, "d")).size, 3);
});

async function refused(change: Record<string, Uint8Array | undefined>, message: RegExp, folder = "mnist") {
  const start = Object.entries({ ...small, ...change }).filter(([, bytes]) => bytes) as [string, Uint8Array][];
  const error = await load(memoryFiles(Object.fromEntries(start)), folder).then(
    () => assert.unreachable("should have been refused"),
    (error) => error,
  );
  assert.is(error.code, "E_DATA", error.stack);
  assert.match(error.message, message);
}

test("a folder without the files, or none at all: says which are expected", async () => {
  const all =
    /none of its 4 files is there, should hold train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, each/;
  await refused({ "other/x": new Uint8Array(1) }, all, "other");
  await refused({}, all, "nowhere");
  await refused(
    { "mnist/t10k-labels-idx1-ubyte": undefined },
    /^Cannot load mnist from mnist: t10k-labels-idx1-ubyte is not there, should hold train-images-idx3-ubyte, .* each plain or with \.gz$/,
  );
});

test("count mismatch, swapped files, wrong size, label out of range, truncation: each names its file", async () => {
  await refused(
    { "mnist/train-labels-idx1-ubyte": idxBytes([2], Uint8Array.of(1, 2)) },
    /Cannot use mnist\/train-labels-idx1-ubyte: it has 2 labels, should have 3 as mnist\/train-images-idx3-ubyte has images$/,
  );
  await refused(
    { "mnist/t10k-images-idx3-ubyte": testLabels },
    /t10k-images-idx3-ubyte: it has 10 bytes, should have at least 16/,
  );
  await refused(
    { "mnist/train-images-idx3-ubyte": idxBytes([3, 32, 32], new Uint8Array(3 * 1024)) },
    /its images are 32 x 32, should be 28 x 28$/,
  );
  await refused(
    { "mnist/t10k-labels-idx1-ubyte": idxBytes([2], Uint8Array.of(1, 10)) },
    /t10k-labels-idx1-ubyte: label 1 is 10, should be 0 to 9$/,
  );
  await refused(
    { "mnist/train-images-idx3-ubyte": images.slice(0, 2000) },
    /mnist\/train-images-idx3-ubyte: it has 2000 bytes, should have 2368/,
  );
});

test("refuses other resolutions and indices out of range", async () => {
  const error = thrown(() => mnistDataset({ resolution: 20 as 16 }));
  assert.is(error.code, "E_OPTION");
  assert.match(error.message, /resolution must be one of 16, 28, 32, current value is 20$/);
  const data = await load(memoryFiles(small), "mnist");
  for (const index of [3, -1, 0.5, Number.NaN])
    assert.throws(() => data.batch([index], never), /Cannot take sample .* should be an integer from 0 to 2$/);
});

test("by default digits of 16 x 16 pixels, drawn by the run's numbers", async () => {
  const { name, shape, batch } = await load(memoryFiles(small), "mnist");
  assert.is(name, "mnist");
  assert.equal(shape, { sample: [1, 16, 16], condition: classLabel(10), sigmaData: 0.5 });
  assert.is((await batch(4, hostRandom(0, 0, 0))).x.length, 4 * 256);
});

test("without a folder it says how to give one", async () => {
  const message = await loadFrom({}).catch((error: Error) => error.message);
  assert.match(message as string, /^Cannot load mnist: there is no data folder.*--data$/);
});

const folder = join(dataFolder, "mnist");
const real = existsSync(folder) ? test : test.skip;
if (!existsSync(folder)) console.log(`mnist: ${folder} is absent, so the test of the real files does not run`);

real("the real files: 60,000 and 10,000 digits, mean -0.7999 and standard deviation 0.5025 at 16 x 16", async () => {
  const start: Record<string, Uint8Array> = {};
  for (const part of ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"])
    start[`real/${part}-ubyte.gz`] = new Uint8Array(readFileSync(join(folder, `${part}-ubyte.gz`)));
  const data = await load(memoryFiles(start), "real");
  assert.is(data.size, 60_000);
  const { x, condition } = await data.batch(
    Int32Array.from({ length: 60_000 }, (_, i) => i),
    never,
  );
  let sum = 0;
  let squares = 0;
  for (const value of x) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / x.length;
  const std = Math.sqrt(squares / x.length - mean * mean);
  assert.ok(Math.abs(mean + 0.7999) < 5e-5, `mean ${mean}`);
  assert.ok(Math.abs(std - 0.5025) < 5e-5, `standard deviation ${std}`);
  assert.equal([...condition.label.subarray(0, 10)], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
  const held = await data.test!();
  assert.equal([held.count, [...held.condition.label.subarray(0, 5)]], [10_000, [7, 2, 1, 0, 4]]);
});

test.run();
