import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import {
  BACKEND,
  CACHE,
  type Cache,
  DATASET,
  type Dataset,
  type Extractor,
  extractorNamed,
  PACE,
} from "../../../core/interfaces/mod.ts";
import { FrozenNetwork } from "../../../core/nn/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { classifier } from "../../../plugins/extractors/classifier.ts";
import { compose } from "../support.ts";
import { halves } from "./halves.ts";

const test = suite("plugins/extractors/classifier");

const backend = await WasmBackend.open();

const extractorOf = (dataset: Dataset, options = {}): Extractor => {
  const container = compose(dataset.shape, classifier(options));
  container.value(BACKEND, backend, "the test").value(DATASET, dataset, "the test");
  return extractorNamed(container, "classifier");
};
const trained = await extractorOf(halves()).load();

test("is a well-formed plugin", () => checkPlugin(classifier, { epochs: 7 }));

test("says what it reads and makes", () => {
  const { name, reads, widths } = extractorOf(halves());
  assert.is(name, "classifier");
  assert.equal(reads, { channels: [1], smallest: 8 });
  assert.equal(widths, { features: 64, logits: 2 });
});

test("tells the classes apart: features after the ReLU, and logits", async () => {
  const dataset = halves();
  const extractor = extractorOf(dataset);
  const network = await FrozenNetwork.open(backend, {
    weights: await extractor.load(),
    inputs: { x: { shape: dataset.shape.sample } },
    apply: (scope, { x }) => extractor.bind(scope).features(x),
    batch: 50,
  });
  const { x, condition } = await dataset.test!();
  const { features, logits } = await network.run({ x });
  assert.equal([features.length, logits.length], [61 * 64, 61 * 2]);
  assert.ok(features.every((each) => each >= 0) && features.some((each) => each > 0));
  const right = [...condition.label].filter((label, i) => logits[2 * i + label] > logits[2 * i + 1 - label]);
  assert.is(right.length, 61);
  network.dispose();
});

test("the same bits whenever it is trained, and only once", async () => {
  const extractor = extractorOf(halves());
  const weights = extractor.load();
  assert.is(extractor.load(), weights);
  assert.equal(await weights, trained);
  for (const other of [{ epochs: 4 }, { seed: 1 }])
    assert.not.equal((await extractorOf(halves(), other).load()).arenas, trained.arenas);
});

test("kept by the data, the options and the device, for the next run; what is damaged is trained again", async () => {
  const kept = new Map<string, Uint8Array>();
  const cache: Cache = {
    read: async (name) => kept.get(name),
    write: async (name, bytes) => void kept.set(name, bytes),
  };
  let batches = 0;
  const told: string[] = [];
  const load = async (fingerprint: string, options = {}) => {
    const data = halves();
    const counted: Dataset = {
      ...data,
      batch: (...given) => {
        batches++;
        return data.batch(...given);
      },
      fingerprint: async () => fingerprint,
    };
    const container = compose(data.shape, classifier(options));
    container.value(BACKEND, backend, "the test").value(DATASET, counted, "the test").value(CACHE, cache, "the test");
    container.value(
      PACE,
      async (what, done, total, unit) => void told.push(`${what} ${done}/${total} ${unit}`),
      "the test",
    );
    batches = 0;
    return extractorNamed(container, "classifier").load();
  };
  assert.equal(await load("a"), trained);
  assert.equal([batches, kept.size, told[0], told.length], [12, 1, "training the judge 0/12 updates", 12]);
  assert.equal(await load("a"), trained);
  assert.equal([batches, kept.size], [0, 1]);
  await load("b", { epochs: 1 });
  assert.equal([batches, kept.size], [4, 2]);
  await load("a", { seed: 1 });
  assert.equal([batches, kept.size], [12, 3]);
  for (const [name, bytes] of kept) kept.set(name, bytes.slice(0, bytes.length - 4));
  assert.equal(await load("a"), trained);
  assert.is(batches, 12);
});

test("a stop ends the training, and leaves nothing on the device", async () => {
  const before = backend.liveBytes;
  const data = halves();
  const container = compose(data.shape, classifier());
  const stop = new Error("stopped");
  container.value(BACKEND, backend, "the test").value(DATASET, data, "the test");
  container.value(PACE, async (_, done) => (done === 2 ? Promise.reject(stop) : undefined), "the test");
  assert.is(
    await extractorNamed(container, "classifier")
      .load()
      .catch((reason) => reason),
    stop,
  );
  assert.is(backend.liveBytes, before);
});

test("training leaves nothing on the device, even when the data fail", async () => {
  const before = backend.liveBytes;
  const batch = () => Promise.reject(new Error("no more data"));
  const error = await extractorOf({ ...halves(), batch })
    .load()
    .catch((reason) => reason);
  assert.is(error.message, "no more data");
  await extractorOf(halves()).load();
  assert.is(backend.liveBytes, before);
});

test("refuses data without classes, without images, and without an end", async () => {
  const { shape } = halves();
  for (const [over, says] of [
    [{ shape: { ...shape, condition: {} } }, "512 samples [1, 8, 8] of 0 classes"],
    [{ shape: { ...shape, sample: [64] } }, "512 samples [64] of 2 classes"],
    [{ size: Number.POSITIVE_INFINITY }, "Infinity samples [1, 8, 8] of 2 classes"],
  ] as const) {
    const error = await extractorOf({ ...halves(), ...over })
      .load()
      .catch((reason) => reason);
    assert.is(error.code, "E_CONFIG");
    assert.is(
      error.message,
      `Cannot train a classifier on halves: it has ${says}, expected a stored set of labelled images`,
    );
  }
});

test("close", () => backend.close());

test.run();
