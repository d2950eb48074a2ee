import { suite } from "uvu";
import * as assert from "uvu/assert";
import { offloading, type WorkerTask } from "../../../backends/host/offload.ts";
import { classLabel, type Offload } from "../../../core/interfaces/mod.ts";
import { picturesDataset } from "../../../plugins/datasets/pictures.ts";
import { encodePng } from "../../../plugins/observers/drawing/png.ts";
import { dataFolder, type FolderContent, loadDataset, refusedDataset } from "../../helpers/datasets.ts";
import { pngOf } from "../../helpers/pngFiles.ts";

const test = suite("plugins/datasets/pictures");

/** A grey picture 2 x 1. */
const grey = (...data: [number, number]) =>
  encodePng({ width: 2, height: 1, channels: 1, data: Uint8Array.from(data) });
const sound = grey(1, 2);
const cut = sound.slice(0, sound.length - 20);
const none = () => 0;

test("samples are the PNG files in order of names, in [-1, 1]", async () => {
  const folder = dataFolder({ "b.png": grey(51, 102), "a.PNG": grey(0, 255), "notes.txt": "" });
  const { shape, size, batch } = await loadDataset(picturesDataset(), folder);
  assert.equal(shape, { sample: [1, 1, 2], condition: {}, sigmaData: 0.5 });
  assert.is(size, 2);
  const { x, condition } = await batch([1, 0], none);
  assert.equal([...x], [51 / 127.5 - 1, 102 / 127.5 - 1, -1, 1].map(Math.fround));
  assert.equal(condition, {});
});

test("subfolders are classes, in order of names", async () => {
  const folder = dataFolder({
    "dog/1.png": grey(1, 1),
    "cat/1.png": grey(2, 2),
    "cat/2.png": grey(3, 3),
  });
  const { shape, size, batch } = await loadDataset(picturesDataset({ classes: 2 }), folder);
  assert.equal(shape.condition, classLabel(2));
  assert.is(size, 3);
  assert.equal([...(await batch([0, 1, 2], none)).condition.label], [0, 0, 1]);
});

test("decoded in a worker: the same bits, and the same error", async () => {
  const offload = offloading();
  let task: WorkerTask<unknown, object> | undefined;
  const watched: Offload = (work) => {
    const made = offload(work);
    task = made as unknown as typeof task;
    return made;
  };
  const content = { "a.png": grey(7, 8), "b.png": grey(9, 10), "c.png": cut };
  const here = await loadDataset(picturesDataset(), dataFolder(content));
  const there = await loadDataset(picturesDataset(), { ...dataFolder(content), offload: watched });
  const compare = async () => {
    assert.equal(await there.batch([1, 0], none), await here.batch([1, 0], none));
    const errors = [here, there].map(async ({ batch }) => {
      const error = await Promise.resolve(batch([0, 2], none)).catch((reason) => reason);
      return [error.code, error.message, error.fix];
    });
    assert.equal(await errors[1], await errors[0]);
    assert.match((await errors[0])[1], /^Cannot use data\/c\.png: its picture data are damaged or incomplete/);
  };
  for (let i = 0; i < 2000 && task!.elsewhere < 4; i++) {
    await compare();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assert.ok(task!.elsewhere >= 4, "the worker never answered");
  await there.dispose!();
  const late = await Promise.resolve(there.batch([0], none)).catch((reason) => reason.code);
  assert.is(late, "E_DISPOSED");
});

const refused: Record<string, [content: FolderContent, classes: number, says: RegExp]> = {
  "an empty folder": [{}, 0, /pictures from data: it should hold PNG files/],
  "an empty class": [{ "a/1.png": sound, "b/x.txt": "" }, 2, /from data\/b: it should hold PNG/],
  "other classes": [{ "a/1.png": sound }, 2, /1 subfolders, should have one for each of 2 classes/],
  "another format": [{ "a.png": "GIF89a" }, 0, /data\/a\.png: it is no PNG file/],
  "a picture of no width": [{ "a.png": pngOf({ width: 0, height: 1, colour: 0 }) }, 0, /it is no PNG file/],
  alpha: [
    { "a.png": pngOf({ width: 1, height: 1, colour: 6 }) },
    0,
    /it has colour type 6, 8 bits per channel, should be grey or RGB without alpha/,
  ],
  "16 bits, interlaced": [
    { "a.png": pngOf({ width: 1, height: 1, colour: 2, depth: 16, interlace: 1 }) },
    0,
    /colour type 2, 16 bits per channel and is interlaced, should be/,
  ],
  "another size": [
    { "a.png": sound, "b.png": pngOf({ width: 3, height: 1, colour: 0 }) },
    0,
    /data\/b\.png: it is \[1, 1, 3\], should be \[1, 1, 2\] as the pictures before it/,
  ],
};
for (const [name, [content, classes, says]] of Object.entries(refused))
  test(`refused: ${name}`, async () => {
    const { code, message } = await refusedDataset(picturesDataset({ classes }), dataFolder(content));
    assert.is(code, "E_DATA", message);
    assert.match(message, says);
  });

test("refused: no folder", async () => {
  assert.match((await refusedDataset(picturesDataset(), {})).message, /no data folder.*--data$/);
});

test.run();
