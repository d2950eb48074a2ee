import { suite } from "uvu";
import * as assert from "uvu/assert";
import { float32ToFloat16 } from "../../../core/io/halfFloat.ts";
import { latentsDataset } from "../../../plugins/datasets/latents.ts";
import { dataFolder, type FolderContent, floats, loadDataset, refusedDataset } from "../../helpers/datasets.ts";

const test = suite("plugins/datasets/latents");

/** N latents [1, 1, 2] with text [2, 3]; row n is told by the first number. */
const shard = (...rows: number[]) => ({
  x: floats(
    [rows.length, 1, 1, 2],
    rows.flatMap((n) => [n, 3 * n]),
  ),
  text: floats(
    [rows.length, 2, 3],
    rows.flatMap((n) => [n, 0, 0, 0, 0, 1]),
  ),
});
const sdxl = (...rows: number[]) => ({
  ...shard(...rows),
  pooled: floats(
    [rows.length, 2],
    rows.flatMap((n) => [n, 1]),
  ),
  timeIds: floats(
    [rows.length, 6],
    rows.flatMap(() => [8, 8, 0, 0, 8, 8]),
  ),
});
const empty = { "unconditional.text": floats([2, 3], [1, 2, 3, 4, 5, 6]) };
const none = () => 0;
const load = (content: FolderContent, unconditional: "stored" | "zero" = "stored") =>
  loadDataset(latentsDataset({ unconditional }), dataFolder(content));

test("latents come with their texts, whatever the shard, and half precision is widened", async () => {
  const half = shard(7);
  const x = { dtype: "F16", shape: half.x.shape, data: float32ToFloat16([7, 21]) } as const;
  const {
    shape,
    size,
    batch,
    conditionsOnly,
    empty: stored,
  } = await load({
    "a.safetensors": { ...shard(5, 6) },
    "z.safetensors": empty,
  });
  assert.equal(shape, {
    sample: [1, 1, 2],
    condition: { text: { shape: [2, 3], dtype: "f32", empty: "stored" } },
    sigmaData: 1,
  });
  assert.is(size, 2);
  const { x: latents, condition } = await batch([1, 0], none);
  assert.equal([...latents], [6, 18, 5, 15]);
  assert.equal(Object.keys(condition), ["text"]);
  assert.equal([...condition.text], [6, 0, 0, 0, 0, 1, 5, 0, 0, 0, 0, 1]);
  assert.not.ok(conditionsOnly);
  assert.equal(stored, { text: Float32Array.of(1, 2, 3, 4, 5, 6) });
  const halves = await load({ "a.safetensors": { ...half, x } });
  assert.equal([...(await halves.batch([0], none)).x], [7, 21]);
});

test("SDXL: pooled embeddings and sizes, and zeros for the empty text", async () => {
  const { shape, batch, empty: stored } = await load({ "a.safetensors": sdxl(1, 2) }, "zero");
  assert.equal(shape.condition, {
    text: { shape: [2, 3], dtype: "f32", empty: "zero" },
    pooled: { shape: [2], dtype: "f32", empty: "zero" },
    timeIds: { shape: [6], dtype: "f32", empty: "same" },
  });
  assert.equal(stored, {});
  const { condition } = await batch([1], none);
  assert.equal([...condition.pooled], [2, 1]);
  assert.equal([...condition.timeIds], [8, 8, 0, 0, 8, 8]);
});

test("without an embedding of no text the data say so", async () => {
  const { shape, empty: stored } = await load({ "a.safetensors": shard(1) });
  assert.equal(shape.condition, { text: { shape: [2, 3], dtype: "f32", empty: undefined } });
  assert.equal(stored, {});
});

const wrong: Record<string, [FolderContent, RegExp]> = {
  "no text": [{ "a.safetensors": { x: shard(1).x } }, /it has no tensor text, should hold optional x .* text/],
  "only the empty text": [{ "z.safetensors": empty }, /it has no shard/],
  "two empty texts": [
    { "a.safetensors": { ...shard(1), ...empty }, "b.safetensors": empty },
    /both data\/a\.safetensors and data\/b\.safetensors hold unconditional\.text, one file should/,
  ],
  "an empty text of another size": [
    {
      "a.safetensors": shard(1),
      "z.safetensors": { "unconditional.text": floats([3], [1, 2, 3]) },
    },
    /z\.safetensors: unconditional\.text is F32 \[3\], should be F32 or F16 or BF16 \[2, 3\]/,
  ],
  "pooled without sizes": [
    { "a.safetensors": { ...shard(1), pooled: sdxl(1).pooled } },
    /pooled without timeIds, should have both or neither/,
  ],
  "sizes of another number": [
    { "a.safetensors": { ...sdxl(1), timeIds: floats([1, 2], [8, 8]) } },
    /timeIds has 2 numbers per row, should have 6/,
  ],
  "text of another number of rows": [
    { "a.safetensors": { ...shard(1, 2), text: shard(1).text } },
    /text has 1 rows, should have 2 as x has/,
  ],
  "numbers that are none": [
    { "a.safetensors": { ...shard(1), text: floats([1, 1, 1], [Number.POSITIVE_INFINITY]) } },
    /text holds NaN or infinity/,
  ],
};
for (const [name, [content, says]] of Object.entries(wrong))
  test(`refused: ${name}`, async () => {
    const error = await refusedDataset(latentsDataset(), dataFolder(content));
    assert.is(error.code, "E_DATA");
    assert.match(error.message, says);
  });

test.run();
