import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { BACKEND, DATASET, type Dataset, METRICS } from "../../../core/interfaces/mod.ts";
import { Registry } from "../../../core/plugin/mod.ts";
import { hostRandom } from "../../../core/random/hostRandom.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { withNeeded } from "../../../core/train/config/needs.ts";
import { judgeSamples } from "../../../core/train/mod.ts";
import { allPlugins } from "../../../plugins/all.ts";
import { classifierFrechet } from "../../../plugins/metrics/classifierFrechet.ts";
import { thrown } from "../../helpers/thrown.ts";
import { halves } from "../extractors/halves.ts";
import { compose } from "../support.ts";

const test = suite("plugins/metrics/classifierFrechet");

const backend = await WasmBackend.open();
const registry = new Registry().register(allPlugins);

function judging(dataset: Dataset = halves()) {
  const container = compose(dataset.shape, ...withNeeded([classifierFrechet()], registry));
  container.value(BACKEND, backend, "the test").value(DATASET, dataset, "the test");
  return { container, metric: container.all(METRICS)[0] };
}

/** Real images, asked for the class they show. */
const real = await halves().batch(103, hostRandom(5, 0, 0));
const portion = (first: number, end: number) => ({
  shape: [end - first, 1, 8, 8],
  x: real.x.subarray(64 * first, 64 * end),
  condition: { label: real.condition.label.subarray(first, end) },
});
const whole = [portion(0, 103)];

test("is a well-formed plugin", () => checkPlugin(classifierFrechet, { epochs: 5 }));

test("real images are near the test set and of their class; other labels are not theirs", async () => {
  const { container, metric } = judging();
  const found = await judgeSamples([metric], whole);
  assert.equal(Object.keys(found), [
    "accuracy",
    "accuracy ±",
    "worst class",
    "rarest class",
    "frechet",
    "frechet ±",
    "classifier",
  ]);
  assert.equal([found.accuracy, found["accuracy ±"], found["worst class"], found.classifier], [1, 0, 1, 1]);
  assert.is(found["rarest class"], 1);
  const { x, condition, shape } = whole[0];
  const label = condition.label.map((each) => 1 - each);
  const mistaken = await judgeSamples([metric], [{ shape, x, condition: { label } }]);
  assert.is(mistaken.accuracy, 0);
  assert.is(mistaken.frechet, found.frechet, "labels do not count there");
  const noise = x.map((_, i) => Math.sin(i * i));
  const far = await judgeSamples([metric], [{ shape, x: noise, condition }]);
  assert.ok(far.frechet > 5 * found.frechet, `${far.frechet}, ${found.frechet}`);
  const bright = x.map((each) => (each > 0.2 ? 40 : each));
  const clamped = x.map((each) => (each > 0.2 ? 1 : each));
  const wanted = await judgeSamples([metric], [{ shape, x: clamped, condition }]);
  assert.equal(await judgeSamples([metric], [{ shape, x: bright, condition }]), wanted);
  await container.dispose();
});

test("the same numbers however the set is divided, whatever was judged before", async () => {
  const { container, metric } = judging();
  const wanted = await judgeSamples([metric], whole);
  for (const size of [1, 10, 64]) {
    const portions = Array.from({ length: Math.ceil(103 / size) }, (_, i) =>
      portion(i * size, Math.min(103, (i + 1) * size)),
    );
    assert.equal(await judgeSamples([metric], portions), wanted, `portions of ${size}`);
  }
  await container.dispose();
});

test("the container frees what it holds on the device", async () => {
  const before = backend.liveBytes;
  const { container, metric } = judging();
  await judgeSamples([metric], whole);
  const held = backend.liveBytes;
  assert.ok(held > before, "the classifier");
  await judgeSamples([metric], whole);
  assert.is(backend.liveBytes, held, "one classifier for all sets");
  await container.dispose();
  assert.is(backend.liveBytes, before);
  const unused = judging();
  await unused.container.dispose();
  assert.is(backend.liveBytes, before, "a metric that judged nothing");
});

test("refuses data without classes or without a test set when it is made, before anything is trained", () => {
  const before = backend.liveBytes;
  const { shape } = halves();
  for (const [over, says] of [
    [{ shape: { ...shape, condition: {} } }, "no classes"],
    [{ test: undefined }, "no test set"],
  ] as const) {
    const error = thrown(() => judging({ ...halves(), ...over }));
    assert.is(error.code, "E_CONFIG");
    assert.is(
      error.message,
      `Cannot judge halves with classifier-frechet: it has ${says}, expected images of two classes or more with a test set`,
    );
    assert.match(error.fix, /--set metrics\.classifier-frechet=off$/);
  }
  assert.is(backend.liveBytes, before);
});

test("holds nothing when the test set cannot be judged", async () => {
  const before = backend.liveBytes;
  const images = halves();
  const { x, count } = await images.test!();
  const condition = { label: new Int32Array(count).fill(2) };
  const { container, metric } = judging({ ...images, test: () => ({ x, count, condition }) });
  const error = await judgeSamples([metric], whole).catch((reason) => reason);
  assert.is(error.code, "E_SHAPE");
  await container.dispose();
  assert.is(backend.liveBytes, before);
});

test("close", () => backend.close());

test.run();
