import { suite } from "uvu";
import * as assert from "uvu/assert";
import { classLabel } from "../../../core/interfaces/mod.ts";
import { float32ToBfloat16, float32ToFloat16 } from "../../../core/io/halfFloat.ts";
import type { StoredTensor } from "../../../core/io/safetensors.ts";
import { hostRandom } from "../../../core/random/hostRandom.ts";
import { imagesDataset } from "../../../plugins/datasets/images.ts";
import {
  bytes,
  dataFolder,
  type FolderContent,
  floats,
  loadDataset,
  longs,
  refusedDataset,
} from "../../helpers/datasets.ts";

const test = suite("plugins/datasets/images");

/** Two shards of two and one image [1, 1, 2]. */
const shards: FolderContent = {
  "a.safetensors": { x: bytes([2, 1, 1, 2], [0, 255, 51, 102]), label: longs([2, 0]) },
  "b.safetensors": { x: bytes([1, 1, 1, 2], [255, 0]), label: longs([1]) },
  "notes.txt": "not a shard",
};
const none = () => 0;

test("samples are the rows of all shards in turn, bytes as [-1, 1], with their labels", async () => {
  const { shape, size, batch } = await loadDataset(imagesDataset({ classes: 3 }), dataFolder(shards));
  assert.equal(shape, { sample: [1, 1, 2], condition: classLabel(3), sigmaData: 0.5 });
  assert.is(size, 3);
  const { x, condition } = await batch([2, 1, 0], none);
  assert.equal([...x], [1, -1, 51 / 127.5 - 1, 102 / 127.5 - 1, -1, 1].map(Math.fround));
  assert.equal([...condition.label], [1, 0, 2]);
  const drawn = await batch(200, hostRandom(0, 0, 0));
  assert.equal([...new Set(drawn.condition.label)].sort(), [0, 1, 2]);
});

test("floats are taken as they are; without classes labels are not read", async () => {
  const x = floats([1, 1, 1, 2], [0.5, -0.25]);
  const folder = dataFolder({ "a.safetensors": { x, label: longs([77]) } });
  const { shape, batch } = await loadDataset(imagesDataset(), folder);
  assert.equal(shape.condition, {});
  assert.equal(await batch([0], none), { x: Float32Array.of(0.5, -0.25), condition: {} });
  assert.throws(() => batch([1], none), /^Cannot take sample 1 of images.*0 to 0$/);
});

test("images in 0 … 1 or 0 … 255 are refused, and brought to [-1, 1] by the option that is named", async () => {
  for (const [values, range] of [
    [[0, 0.5, 0.75, 1], "0,1"],
    [[0, 51, 102, 255], "0,255"],
  ] as const) {
    const folder = dataFolder({ "a.safetensors": { x: floats([2, 1, 1, 2], values) } });
    const { code, message, fix } = await refusedDataset(imagesDataset(), folder);
    assert.is(code, "E_DATA");
    assert.match(
      message,
      /^Cannot use the images in data\/a\.safetensors: x is F32 from 0 to \d+, should span -1 to 1$/,
    );
    assert.is(fix, `say what black and white are with --set dataset.range=${range}`);
    const given = range.split(",").map(Number);
    const { batch } = await loadDataset(imagesDataset({ range: given }), folder);
    const wanted = values.map((value) => Math.fround((2 * value) / given[1] - 1));
    assert.equal([...(await batch([0, 1], none)).x], wanted);
  }
  const wrong = await refusedDataset(
    imagesDataset({ range: [1, 0] }),
    dataFolder({ "a.safetensors": { x: floats([1, 1, 1, 2], [0, 1]) } }),
  );
  assert.is(wrong.code, "E_OPTION");
});

test("half-precision images, labels of any whole numbers, and tensors that nobody asked for", async () => {
  const values = [0.5, -0.25];
  const halves: Record<string, StoredTensor> = {
    F16: { dtype: "F16", shape: [1, 1, 1, 2], data: float32ToFloat16(values) },
    BF16: { dtype: "BF16", shape: [1, 1, 1, 2], data: float32ToBfloat16(values) },
  };
  const labels: StoredTensor[] = [
    bytes([1], [2]),
    { dtype: "I16", shape: [1], data: Int16Array.of(2) },
    { dtype: "U16", shape: [1], data: Uint16Array.of(2) },
  ];
  for (const x of Object.values(halves))
    for (const label of labels) {
      const unused: StoredTensor = { dtype: "I16", shape: [3], data: Int16Array.of(1, 2, 3) };
      const folder = dataFolder({ "a.safetensors": { x, label, unused } });
      const { batch } = await loadDataset(imagesDataset({ classes: 3 }), folder);
      assert.equal(await batch([0], none), { x: Float32Array.from(values), condition: { label: Int32Array.of(2) } });
    }
  const broken: StoredTensor = { dtype: "BF16", shape: [1, 1, 1, 2], data: Uint16Array.of(0, 0x7f80) };
  const { message } = await refusedDataset(imagesDataset(), dataFolder({ "a.safetensors": { x: broken } }));
  assert.match(message, /a\.safetensors: x holds NaN or infinity in row 0/);
});

const good = { x: bytes([1, 1, 1, 2], [0, 1]), label: longs([0]) };
const wrong: Record<string, [FolderContent, RegExp]> = {
  "an empty folder": [{}, /from data: it has no shard, should hold .*x \[N, …, …, …\] of U8 or F32/],
  "no images": [{ "a.safetensors": { y: good.x } }, /data\/a\.safetensors: it has no tensor x/],
  "images of another rank": [{ "a.safetensors": { ...good, x: bytes([1, 2], [0, 1]) } }, /x is U8 \[1, 2\]/],
  "other numbers": [{ "a.safetensors": { ...good, x: longs([1]) } }, /x is I64 \[1\], should be x/],
  "labels that are not one each": [
    { "a.safetensors": { ...good, label: longs([0, 1]) } },
    /label has 2 rows, should have 1 as x has/,
  ],
  "a label beyond the classes": [{ "a.safetensors": { ...good, label: longs([3]) } }, /a label is 3, should be 0 to 2/],
  "no labels": [{ "a.safetensors": { x: good.x } }, /no tensor label, should have one for 3 classes/],
  "shards that differ": [
    { "a.safetensors": good, "b.safetensors": { ...good, x: bytes([1, 1, 1, 3], [0, 1, 2]) } },
    /b\.safetensors: x is U8 \[1, 1, 1, 3\].*rows of \[1, 1, 2\]/,
  ],
  "a shard without labels": [
    { "a.safetensors": good, "b.safetensors": { x: good.x } },
    /b\.safetensors: it has no tensor label/,
  ],
  "numbers that are none": [
    {
      "a.safetensors": { x: floats([1, 1, 1, 2], [0, 1]), label: longs([0]) },
      "b.safetensors": { x: floats([3, 1, 1, 2], [0, 1, 0, 1, 0, Number.NaN]), label: longs([0, 0, 0]) },
    },
    /from data\/b\.safetensors: x holds NaN or infinity in row 2/,
  ],
};
for (const [name, [content, says]] of Object.entries(wrong))
  test(`refused: ${name}`, async () => {
    const error = await refusedDataset(imagesDataset({ classes: 3 }), dataFolder(content));
    assert.is(error.code, "E_DATA");
    assert.match(error.message, says);
  });

test("refused: a truncated file, and no folder", async () => {
  const cut = await refusedDataset(imagesDataset(), dataFolder({ "a.safetensors": "12345" }));
  assert.is(cut.code, "E_CHECKPOINT");
  assert.match(cut.message, /^Cannot read data\/a\.safetensors: it has 5 bytes/);
  assert.match((await refusedDataset(imagesDataset(), {})).message, /no data folder.*--data$/);
});

test.run();
