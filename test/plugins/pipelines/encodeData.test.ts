import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { Registry } from "../../../core/plugin/mod.ts";
import { writeTinyModel } from "../../../examples/tiny-models/write.ts";
import { allPlugins } from "../../../plugins/all.ts";
import { latentsDataset } from "../../../plugins/datasets/latents.ts";
import { captionedFolder } from "../../../plugins/datasets/shared/captionedFolder.ts";
import { encodePng } from "../../../plugins/observers/drawing/png.ts";
import {
  type EncodeRequest,
  encodeData,
  picturesToEncode,
  promptsToEncode,
} from "../../../plugins/pipelines/encodeData.ts";
import { encodeTexts } from "../../../plugins/pipelines/shared/encodePrompts.ts";
import { openPipeline } from "../../../plugins/pipelines/textToImage.ts";
import { loadDataset } from "../../helpers/datasets.ts";
import { type MemoryFiles, memoryFiles } from "../../helpers/memoryFiles.ts";
import { rejected } from "../../helpers/thrown.ts";

const test = suite("plugins/pipelines/encodeData");
const backend = await WasmBackend.open();
test.after(() => backend.close());
const registry = new Registry().register(allPlugins);

const SIZES = [
  [64, 64],
  [96, 64],
  [64, 128],
] as const;
const COUNT = 7;
const files: MemoryFiles = memoryFiles();
for (const kind of ["sd15", "sdxl"] as const) await writeTinyModel(files, kind, { kind });
for (let i = 0; i < COUNT; i++) {
  const [width, height] = SIZES[i % SIZES.length];
  const data = Uint8Array.from({ length: 3 * width * height }, (_, at) => (at * (i + 3)) % 251);
  await files.write(`pictures/${i}.png`, encodePng({ width, height, channels: 3, data }));
  await files.write(`pictures/${i}.txt`, new TextEncoder().encode(`the cat number ${i}\n`));
}

const modelOf = async (kind: string) => (await openPipeline(files, kind, { backend, registry })).model;
async function encode(kind: string, out: string, over: Partial<EncodeRequest> = {}) {
  const items = over.items ?? picturesToEncode(await captionedFolder(files, "pictures"));
  return encodeData({ files, backend, model: await modelOf(kind), items, out, shardBytes: 20_000, ...over });
}
const bytesBelow = (folder: string) =>
  [...files.contents].filter(([path]) => path.startsWith(`${folder}/`) && !path.endsWith(".lock"));
const none = () => 0;

test("a model without an autoencoder encodes no pictures, and leaves no folder behind", async () => {
  const { autoencoder: _, ...model } = await modelOf("sd15");
  const { code, message, fix } = await rejected(encode("sd15", "without", { model }));
  assert.equal([code, fix], ["E_CHECKPOINT", "give one with --vae FILE"]);
  assert.match(message, 'the model has no autoencoder, expected a part "vae"');
  assert.equal(bytesBelow("without"), []);
});

for (const kind of ["sd15", "sdxl"] as const)
  test(`${kind}: pictures and captions become what the dataset latents reads`, async () => {
    const { rows, shards } = await encode(kind, kind === "sd15" ? "a" : "b");
    assert.is(rows, COUNT);
    assert.ok(shards > 1);
    const data = { files, path: kind === "sd15" ? "a" : "b" };
    const unconditional = kind === "sd15" ? "stored" : "zero";
    const dataset = await loadDataset(latentsDataset({ unconditional }), data);
    assert.is(dataset.size, COUNT);
    assert.equal(dataset.shape.sample, [4, 8, 8]);
    const { x, condition } = await dataset.batch([1, 6], none);
    assert.is(x.length, 2 * 4 * 64);
    assert.ok(x.every(Number.isFinite) && new Set(x).size > 100);
    const model = await modelOf(kind);
    const texts = ["the cat number 1", "the cat number 6"];
    const encoded = [];
    for (const encoder of model.encoders) encoded.push(await encodeTexts(backend, encoder, texts));
    const told = model.conditions({ size: model.size, encoded, count: 2 });
    const far = Array.from(told.text).reduce(
      (most, value, i) => Math.max(most, Math.abs(value - condition.text[i])),
      0,
    );
    assert.ok(far < 4e-3, `texts differ by ${far}`);
    if (kind === "sd15") assert.is(dataset.empty?.text.length, 77 * 32);
    // The second picture is 96 x 64: its middle, from pixel 16 on.
    else assert.equal([...condition.timeIds], [64, 96, 0, 16, 64, 64, 64, 64, 0, 0, 64, 64]);

    // Read from the disk row by row, with room for a few, it is the same.
    const streamed = await loadDataset(latentsDataset({ unconditional, cache: 0.02 }), data);
    for (const rows of [
      [1, 6],
      [5, 1],
      [0, 2, 3, 4],
      [1, 6],
    ]) {
      const [a, b] = [await dataset.batch(rows, none), await streamed.batch(rows, none)];
      assert.equal(b.x, a.x);
      assert.equal(b.condition, a.condition);
    }
  });

test("a work that was ended goes on, and leaves the bytes of one that was not", async () => {
  const cancel = new AbortController();
  let seen = 0;
  const onProgress = (done: number) => {
    seen = done;
    if (done === 4) cancel.abort(new Error("enough"));
  };
  const ended = await encode("sd15", "c", { onProgress, signal: cancel.signal }).catch((error: Error) => error.message);
  assert.is(ended, "enough");
  assert.is(seen, 4);
  const before = bytesBelow("c").length;
  assert.ok(before >= 2 && before < bytesBelow("a").length);
  const { found } = await encode("sd15", "c");
  assert.is(found, before - 1, "the shards, and not what stands for no text");
  const strip = (folder: string) => bytesBelow(folder).map(([path, bytes]) => [path.slice(2), bytes]);
  assert.equal(strip("c"), strip("a"));
  assert.is((await encode("sd15", "c")).rows, 0, "all is there");
  const other = await rejected(encode("sd15", "c", { seed: 1 }));
  assert.is(other.code, "E_RUN_EXISTS");
  assert.match(other.message, /was made of other pictures, texts or weights, or at another size/);
});

test("what can't be used ends the work, or is left out", async () => {
  const mixed = memoryFiles(Object.fromEntries(files.contents));
  mixed.contents.delete("pictures/2.txt");
  const png = mixed.contents.get("pictures/4.png")!;
  mixed.contents.set("pictures/4.png", png.slice(0, png.length - 40));
  const set = await captionedFolder(mixed, "pictures");
  const request = { files: mixed, items: picturesToEncode(set), bad: set.bad };
  const refused = await rejected(encode("sd15", "d", request));
  assert.match(refused.message, /Cannot use pictures\/2.png: it has no caption, 6 of 7 have one/);
  const damaged = await rejected(encode("sd15", "d", { ...request, bad: [] }));
  assert.match(damaged.message, /Cannot use pictures\/4.png: .* should be a whole PNG file/);
  const notes: string[] = [];
  const { rows, skipped } = await encode("sd15", "e", { ...request, skipBad: true, note: (text) => notes.push(text) });
  assert.is(rows, 5);
  assert.equal(
    skipped.map(({ path }) => path),
    ["pictures/2.png", "pictures/4.png"],
  );
  assert.match(notes[0], /^pictures\/4.png is left out: /);
  const dataset = await loadDataset(latentsDataset({}), { files: mixed, path: "e" });
  assert.is(dataset.size, 5);
  const [bad] = request.items.filter(({ path }) => path === "pictures/4.png");
  const none = await rejected(encode("sd15", "none", { ...request, items: [bad], skipBad: true }));
  assert.is(none.message, "Cannot encode into none: none of 1 items can be used");
  assert.not.ok(mixed.contents.has("none/shard-000000.safetensors"));
});

test("texts alone make data for methods that need no real samples", async () => {
  await encode("sd15", "f", { items: promptsToEncode(["the cat", "the dog", "the house"], "prompts.txt") });
  const dataset = await loadDataset(latentsDataset({}), { files, path: "f" });
  assert.equal(dataset.shape.sample, [4, 8, 8]);
  assert.is(dataset.size, 3);
  const batch = await dataset.batch([2], none);
  assert.is(batch.condition.text.length, 77 * 32);
  assert.throws(() => batch.x, /the data are texts alone, and a loss or a picture needs real samples/);
});

test.run();
