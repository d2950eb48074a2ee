// The kit's test of datasets is seen to fail.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { classLabel, DATASET_SOURCE, type Dataset } from "../../../core/interfaces/mod.ts";
import { definePlugin } from "../../../core/plugin/mod.ts";
import { type DatasetTest, testDataset } from "../../../core/testing/mod.ts";
import { problemsOf } from "./problems.ts";

const test = suite("core/testing/testDataset");

const SIZE = 40;
const rowsOf = (which: number | ArrayLike<number>, random: () => number) => {
  const rows =
    typeof which === "number" ? Array.from({ length: which }, () => Math.floor(SIZE * random())) : Array.from(which);
  if (rows.some((row) => !(Number.isInteger(row) && row >= 0 && row < SIZE))) throw new Error("not there");
  return rows;
};
const samples = (rows: readonly number[]) => ({
  x: Float32Array.from(rows.flatMap((row) => [row / SIZE, -row / SIZE])),
  condition: { label: Int32Array.from(rows, (row) => row % 3) },
});
const sound: Dataset = {
  name: "ramp",
  shape: { sample: [1, 1, 2], condition: classLabel(3), sigmaData: 0.5 },
  size: SIZE,
  choose: (count, random) => rowsOf(count, random),
  batch: (which, random) => samples(rowsOf(which, random)),
  test: () => ({ ...samples([1, 2]), count: 2 }),
};

/** Forty stored rows, with a mistake or without. */
const problems = (mistake: Partial<Dataset> = {}, setting?: DatasetTest) => {
  const plugin = definePlugin({
    name: "ramp",
    kind: "dataset",
    token: DATASET_SOURCE,
    about: "Rows",
    options: {},
    create: async (): Promise<Dataset> => ({ ...sound, ...mistake }),
  });
  return problemsOf(testDataset(plugin(), setting));
};
const batchOf = (change: (rows: number[]) => ReturnType<typeof samples>): Partial<Dataset> => ({
  batch: (which, random) => change(rowsOf(which, random)),
});

test("a sound dataset passes", async () => assert.is(await problems(), ""));

test("samples that do not follow from the random numbers they are given", async () => {
  const own: Partial<Dataset> = { batch: (which) => samples(rowsOf(which, Math.random)) };
  assert.match(await problems(own), "the same random numbers give its batches anew");
  const fixed: Partial<Dataset> = { batch: (which) => samples(rowsOf(which, () => 0.5)) };
  assert.match(await problems(fixed), "its batches are the same whatever the random numbers are");
  const skipping = (random: () => number): number => {
    const u = random();
    return u < 0.7 ? u : skipping(random);
  };
  const uneven: Partial<Dataset> = {
    batch: (which, random) => samples(rowsOf(which, () => skipping(random))),
  };
  assert.match(await problems(uneven), /its batches take \d+ random numbers for 8 and \d+ for 24/);
});

test("batches that are not as the shape says", async () => {
  const short = batchOf((rows) => ({ ...samples(rows), x: new Float32Array(rows.length) }));
  assert.match(await problems(short), "a batch of 5 has 5 numbers x, should be 10 of Float32Array");
  const bright = batchOf((rows) => ({
    ...samples(rows),
    x: samples(rows).x.map((each) => 255 * each),
  }));
  assert.match(await problems(bright), /a batch has -?\d.* in x, should be in \[-1, 1\]/);
  assert.is(await problems(bright, { range: [-255, 255] }), "");
  const strange = batchOf((rows) => ({
    ...samples(rows),
    condition: { label: Int32Array.from(rows, () => 3) },
  }));
  assert.match(await problems(strange), "a batch has label 3, should be 0 to 2");
  const floats = batchOf((rows) => ({
    ...samples(rows),
    condition: { label: new Float32Array(rows.length) as never },
  }));
  assert.match(await problems(floats), "a batch of 5 has 5 of label, should be 5 of Int32Array");
  const shape = { ...sound.shape, condition: {} };
  assert.match(await problems({ shape }), "a batch is described by label, its shape says nothing");
  const text = { shape: [2], dtype: "f32", empty: "stored" } as const;
  const texts = { ...sound.shape, condition: { ...sound.shape.condition, text } };
  assert.match(
    await problems({ shape: texts }),
    "no numbers of `empty` stand for no text, should be 2; a batch is described by label, its shape says label, text",
  );
});

test("indices that `choose` and `batch` understand differently, or take beyond the end", async () => {
  const other: Partial<Dataset> = { choose: (count, random) => rowsOf(count, () => 1 - random()) };
  assert.match(await problems(other), "`choose` gives other samples than `batch` takes");
  const lax: Partial<Dataset> = {
    batch: (which, random) => samples(typeof which === "number" ? rowsOf(which, random) : Array.from(which)),
  };
  assert.match(
    await problems(lax),
    "it takes sample -1 of 40, should refuse it; it takes sample 40 of 40, should refuse it; it takes sample 0.5",
  );
});

test("a test set of another size, and one that fails; what cannot be disposed", async () => {
  const wrong: Partial<Dataset> = { test: () => ({ ...samples([1, 2]), count: 3 }) };
  assert.match(await problems(wrong), "its test set of 3 has 4 numbers x, should be 6");
  const failing: Partial<Dataset> = {
    test: () => {
      throw new Error("the file is gone");
    },
  };
  assert.match(await problems(failing), "it gives no test set: the file is gone");
  const stuck: Partial<Dataset> = { dispose: () => Promise.reject(new Error("still open")) };
  assert.match(await problems(stuck), /it cannot be disposed: .*still open/);
});

test("numbers of its shape that make no sense", async () => {
  assert.match(
    await problems({ size: 0.5, shape: { ...sound.shape, sigmaData: 0 } }),
    "its sigmaData is 0, should be above 0; its size is 0.5, should be a whole number",
  );
});

test.run();
