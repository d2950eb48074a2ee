import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DATASET, DATASET_SOURCE, type Dataset, METRICS } from "../../../core/interfaces/mod.ts";
import { hostRandom } from "../../../core/random/hostRandom.ts";
import { judgeSamples } from "../../../core/train/mod.ts";
import { gaussiansDataset } from "../../../plugins/datasets/gaussians.ts";
import { gaussianModes } from "../../../plugins/metrics/gaussianModes.ts";
import { compose } from "../support.ts";

const test = suite("plugins/metrics/gaussianModes");

async function judge(dataset?: Dataset) {
  const shape = { sample: [2], condition: {}, sigmaData: 0.7 };
  const container = compose(shape, gaussiansDataset(), gaussianModes());
  const ring = await container.get(DATASET_SOURCE);
  container.value(DATASET, dataset ?? ring, "the test");
  return { ring, metric: container.all(METRICS)[0] };
}

test("points of the ring itself are perfect", async () => {
  const { ring, metric } = await judge();
  const { x, condition } = await ring.batch(10_000, hostRandom(7, 0, 0));
  const { in2, in3, lo, hi, modeStd, sw } = await judgeSamples([metric], [{ shape: [10_000, 2], x, condition }]);
  assert.ok(Math.abs(in2 - 0.865) < 0.015 && Math.abs(in3 - 0.989) < 0.006, `${in2}, ${in3}`);
  assert.ok(lo > 0.9 && hi < 1.1 && Math.abs(modeStd - 0.985) < 0.03, `${lo}, ${hi}, ${modeStd}`);
  assert.ok(sw < 0.025, `${sw}`);
});

test("a circle without modes: in2 tells it from the data, in3 hardly does", async () => {
  const { metric } = await judge();
  const at = (i: number) => (Math.PI * i) / 10_000;
  const x = Float32Array.from({ length: 20_000 }, (_, i) => (i % 2 ? Math.sin(at(i - 1)) : Math.cos(at(i))));
  const { in2, in3 } = await judgeSamples([metric], [{ shape: [10_000, 2], x, condition: {} }]);
  assert.ok(Math.abs(in2 - 0.613) < 0.005 && Math.abs(in3 - 0.921) < 0.005, `${in2}, ${in3}`);
});

test("refuses data that are no mixture", async () => {
  const { ring } = await judge();
  const { metric } = await judge({ ...ring, name: "mnist", mixture: undefined }).catch((error: Error) => ({
    metric: error,
  }));
  assert.match(String(metric), /Cannot judge mnist with gaussian-modes: it is no mixture/);
});

test.run();
