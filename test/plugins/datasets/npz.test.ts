import { suite } from "uvu";
import * as assert from "uvu/assert";
import { classLabel, DATA_FOLDER, DATASET_SOURCE } from "../../../core/interfaces/mod.ts";
import { npzDataset } from "../../../plugins/datasets/npz.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { npyFile } from "../../helpers/npyFile.ts";
import { zipFile } from "../../helpers/zipFile.ts";
import { compose } from "../support.ts";

const test = suite("plugins/datasets/npz");

/** Two pictures of 1 × 2 pixels in three colours, and their classes. */
const images = npyFile("|u1", [2, 1, 2, 3], Uint8Array.of(0, 51, 102, 153, 204, 255, 1, 2, 3, 4, 5, 6));
const labels = npyFile("<i8", [2], BigInt64Array.of(1n, 0n));

function load(arrays: Record<string, Uint8Array>, options: Parameters<typeof npzDataset>[0] = {}) {
  const files = memoryFiles({ "data/a.npz": zipFile(arrays) });
  const shape = { sample: [1], condition: {}, sigmaData: 1 };
  return compose(shape, npzDataset(options))
    .value(DATA_FOLDER, { files, path: "data" }, "the test")
    .get(DATASET_SOURCE);
}

test("pixels go from the last axis to the first, bytes as [-1, 1], with their labels", async () => {
  const dataset = await load({ "arr_0.npy": images, "arr_1.npy": labels }, { classes: 2 });
  assert.equal(dataset.shape, { sample: [3, 1, 2], condition: classLabel(2), sigmaData: 0.5 });
  assert.is(dataset.size, 2);
  const { x, condition } = await dataset.batch([0], () => 0);
  assert.equal(
    x,
    Float32Array.from([0, 153, 51, 204, 102, 255], (byte) => byte / 127.5 - 1),
  );
  assert.equal(condition.label, Int32Array.of(1));
});

const refusals: Record<
  string,
  [arrays: Record<string, Uint8Array>, options: Parameters<typeof npzDataset>[0], why: RegExp]
> = {
  "no such array": [{ "x.npy": images }, {}, /it has x, should have images as bytes/],
  floats: [{ "arr_0.npy": npyFile("<f4", [1, 1, 1, 1], Float32Array.of(1)) }, {}, /F32 \[1, 1, 1, 1\]/],
  "a label beyond the classes": [{ "arr_0.npy": images, "arr_1.npy": labels }, { classes: 1 }, /a class 0 to 0/],
  "labels of another number": [
    { "arr_0.npy": images, "arr_1.npy": npyFile("|u1", [1], Uint8Array.of(0)) },
    { classes: 2 },
    /U8 \[1\]/,
  ],
};
for (const [what, [arrays, options, why]] of Object.entries(refusals))
  test(`${what}: refused`, async () => {
    const error = await load(arrays, options).then(
      () => undefined,
      (error) => error,
    );
    assert.is(error?.code, "E_DATA");
    assert.match(error.message, why);
  });

test.run();
