import { suite } from "uvu";
import * as assert from "uvu/assert";
import { offloading, type WorkerTask } from "../../../backends/host/offload.ts";
import { classLabel, type Offload } from "../../../core/interfaces/mod.ts";
import type { Picture } from "../../../core/pixels/mod.ts";
import { picturesDataset } from "../../../plugins/datasets/pictures.ts";
import { encodePng } from "../../../plugins/observers/drawing/png.ts";
import { dataFolder, type FolderContent, loadDataset, refusedDataset } from "../../helpers/datasets.ts";
import { pillowFile, pillowPixels } from "../../helpers/pillowPictures.ts";
import { chunkOf, pngOf } from "../../helpers/pngFiles.ts";

const test = suite("plugins/datasets/pictures");

/** A grey picture 2 x 1. */
const grey = (...data: [number, number]) =>
  encodePng({ width: 2, height: 1, channels: 1, data: Uint8Array.from(data) });
const sound = grey(1, 2);
const cut = sound.slice(0, sound.length - 20);
/** Sound chunks around picture data that do not unpack. */
const spoilt = pngOf({ width: 2, height: 1, colour: 0 }, chunkOf("IDAT", Uint8Array.of(1, 2, 3)));
/** With some picture data, which nobody looks at. */
const headed = (header: Parameters<typeof pngOf>[0]) => pngOf(header, chunkOf("IDAT", Uint8Array.of(0)));
const none = () => 0;
/** Values as the bytes that they come of. */
const bytes = (x: Float32Array) => Array.from(x, (value) => Math.round((value + 1) * 127.5));

test("samples are the PNG files in order of names, in [-1, 1]", async () => {
  const folder = dataFolder({ "b.png": grey(51, 102), "a.PNG": grey(0, 255), "notes.txt": "" });
  const { shape, size, batch } = await loadDataset(picturesDataset(), folder);
  assert.equal(shape, { sample: [1, 1, 2], condition: {}, sigmaData: 0.5 });
  assert.is(size, 2);
  const { x, condition } = await batch([1, 0], none);
  assert.equal([...x], [51 / 127.5 - 1, 102 / 127.5 - 1, -1, 1].map(Math.fround));
  assert.equal(condition, {});
});

test("subfolders are classes, found and named: by number where all are numbers, else by text", async () => {
  const animals = dataFolder({
    "dog/1.png": grey(1, 1),
    "cat/1.png": grey(2, 2),
    "cat/2.png": grey(3, 3),
    ".git/x": "",
  });
  for (const classes of [undefined, 2]) {
    const { shape, size, batch } = await loadDataset(picturesDataset({ classes }), animals);
    assert.equal(shape.condition, classLabel(2, ["cat", "dog"]));
    assert.is(size, 3);
    assert.equal([...(await batch([0, 1, 2], none)).condition.label], [0, 0, 1]);
  }
  const said: string[] = [];
  const places = async (...names: string[]) => {
    const content = Object.fromEntries(names.map((name) => [`${name}/1.png`, grey(1, 1)]));
    const folder = { ...dataFolder(content), found: (text: string) => void said.push(text) };
    return (await loadDataset(picturesDataset(), folder)).shape.condition.label.names;
  };
  assert.equal(await places("10", "0", "2", "1"), ["0", "1", "2", "10"]);
  assert.equal(await places("10", "0", "2", "x"), ["0", "10", "2", "x"]);
  assert.equal(await places("n02", "n01"), ["n01", "n02"]);
  await places("0", "1");
  assert.match(said[0], "4 classes: 0 0, 1 1, 2 2, 3 10");
  assert.match(said[3], "2 classes: 0, 1");
  const plain = await loadDataset(picturesDataset({ classes: 0 }), animals);
  assert.equal([plain.size, plain.shape.condition], [3, {}]);
});

test("what is held out is a share of every class, from its middle, and in no batch", async () => {
  const content = Object.fromEntries(
    Array.from({ length: 30 }, (_, i) => [`${i < 20 ? "a" : "b"}/${String(i).padStart(2, "0")}.png`, grey(i, i)]),
  );
  const said: string[] = [];
  const folder = { ...dataFolder(content), found: (text: string) => void said.push(text) };
  const { size, batch, test: held, fingerprint } = await loadDataset(picturesDataset({ holdOut: 0.1 }), folder);
  const levels = (x: Float32Array) =>
    Array.from({ length: x.length / 2 }, (_, i) => Math.round((x[2 * i] + 1) * 127.5));
  const out = await held!();
  assert.equal([out.count, levels(out.x), [...out.condition.label]], [3, [5, 15, 25], [0, 0, 1]]);
  const kept = levels(
    (
      await batch(
        Array.from({ length: size }, (_, i) => i),
        none,
      )
    ).x,
  );
  assert.equal([size, kept.filter((level) => [5, 15, 25].includes(level))], [27, []]);
  assert.equal(said, ["30 pictures, 2 x 1, grey; 2 classes: 0 a, 1 b; 3 are held out to judge by"]);
  const again = await loadDataset(picturesDataset({ holdOut: 0.1 }), dataFolder(content));
  assert.is(await again.fingerprint!(), await fingerprint!());
  const others = await loadDataset(picturesDataset({ holdOut: 0.2 }), dataFolder(content));
  assert.is.not(await others.fingerprint!(), await fingerprint!());
});

test("crop takes the middle of pictures of any size", async () => {
  const wide = encodePng({ width: 4, height: 3, channels: 1, data: Uint8Array.from({ length: 12 }, (_, i) => i) });
  const folder = dataFolder({ "a.png": wide, "b.png": grey(50, 51), "c.png": wide });
  const { shape, batch } = await loadDataset(picturesDataset({ crop: [1, 2] }), folder);
  assert.equal(shape.sample, [1, 1, 2]);
  const { x } = await batch([0, 1, 2], none);
  assert.equal(
    [...x].map((value) => Math.round((value + 1) * 127.5)),
    [5, 6, 50, 51, 5, 6],
  );
});

/** Pillow's pixels, channel after channel. */
const planar = ({ width, height, channels, data }: Picture<Uint8Array>) =>
  Array.from(
    { length: data.length },
    (_, i) => data[(i % (width * height)) * channels + Math.floor(i / (width * height))],
  );

test("every format in one folder, by content: Pillow's bytes; grey ones become RGB beside others", async () => {
  const pixels = await pillowPixels();
  const names = ["420.jpg", "grey.jpg", "lossy.webp", "alpha.webp", "orientation6.jpg"];
  // Names do not say what is inside.
  const content = Object.fromEntries(
    names.map((name, i) => [`${i}.${i === 0 ? "png" : name.slice(-4)}`, pillowFile(name)]),
  );
  const said: string[] = [];
  const folder = { ...dataFolder(content), found: (text: string) => void said.push(text) };
  const { shape, batch, dispose } = await loadDataset(picturesDataset(), folder);
  assert.equal(shape.sample, [3, 27, 35]);
  assert.equal(said, ["5 pictures (3 JPEG, 2 WebP), 35 x 27, RGB; 1 that are grey become RGB; no classes"]);
  const { x } = await batch([0, 1, 2, 3, 4], none);
  const size = 3 * 27 * 35;
  for (const [i, name] of names.entries()) {
    const own = planar(pixels.get(name)!);
    const expected = name === "grey.jpg" ? [...own, ...own, ...own] : own;
    assert.equal(bytes(x.subarray(i * size, (i + 1) * size)), expected, name);
  }
  await dispose?.();
  const grey = await loadDataset(picturesDataset({ channels: 1 }), dataFolder({ "a.jpg": pillowFile("420.jpg") }));
  assert.equal(bytes((await grey.batch([0], none)).x), planar(pixels.get("420.jpg L")!));
});

test("size resizes the middle of pictures of all sizes as EDM's dataset_tool does, fit=stretch all of them", async () => {
  const pixels = await pillowPixels();
  const content = { "a.jpg": pillowFile("420.jpg"), "b.png": pillowFile("rgb8.png") };
  const said: string[] = [];
  const folder = { ...dataFolder(content), found: (text: string) => void said.push(text) };
  const { shape, batch } = await loadDataset(picturesDataset({ size: [16, 16] }), folder);
  assert.equal(shape.sample, [3, 16, 16]);
  assert.match(said[0], /^2 pictures \(1 JPEG, 1 PNG\), 16 x 16, RGB; 1 smaller ones are enlarged by lanczos; no/);
  assert.equal(bytes((await batch([0], none)).x), planar(pixels.get("420.jpg middle 16 x 16")!));
  const wide = picturesDataset({ size: [10, 24], fit: "stretch", filter: "bicubic" });
  const stretched = await loadDataset(wide, dataFolder(content));
  assert.equal(bytes((await stretched.batch([0], none)).x), planar(pixels.get("420.jpg stretched 10 x 24")!));
});

test("flip adds every picture mirrored", async () => {
  const folder = dataFolder({ "a/1.png": grey(1, 2), "b/1.png": grey(3, 4) });
  const { size, batch } = await loadDataset(picturesDataset({ flip: true }), folder);
  assert.is(size, 4);
  const { x, condition } = await batch([0, 1, 2, 3], none);
  assert.equal(bytes(x), [1, 2, 3, 4, 2, 1, 4, 3]);
  assert.equal([...condition.label], [0, 1, 0, 1]);
});

test("with skipBad the next one of its class stands in for a picture whose data turn out to be damaged", async () => {
  const content = { "a/1.png": spoilt, "a/2.png": grey(1, 2), "b/1.png": grey(3, 4), "b/2.png": spoilt };
  const said: string[] = [];
  const folder = { ...dataFolder(content), found: (text: string) => void said.push(text) };
  const { batch } = await loadDataset(picturesDataset({ skipBad: true }), folder);
  for (let i = 0; i < 2; i++) assert.equal(bytes((await batch([0, 1, 2, 3], none)).x), [1, 2, 1, 2, 3, 4, 3, 4]);
  assert.equal(said.slice(1), [
    "data/a/1.png is left out: its picture data are damaged or incomplete, should be a whole PNG file",
    "data/b/2.png is left out: its picture data are damaged or incomplete, should be a whole PNG file",
  ]);
});

test("bad files end it before anything is trained; skipBad leaves them out, counted and named", async () => {
  const content = { "a.png": sound, "b.png": cut, "c.png": pngOf({ width: 3, height: 1, colour: 0 }), "d.png": sound };
  const { message, code } = await refusedDataset(picturesDataset(), dataFolder(content));
  assert.is(code, "E_DATA");
  assert.match(
    message,
    /^Cannot use data\/b\.png: it is cut short at byte \d+, should be a whole PNG file; 1 more of 4 files cannot/,
  );
  const said: string[] = [];
  const folder = { ...dataFolder(content), found: (text: string) => void said.push(text) };
  assert.is((await loadDataset(picturesDataset({ skipBad: true }), folder)).size, 2);
  assert.match(
    said[0],
    /; 2 are left out: data\/b\.png \(it is cut short at byte \d+, .*\), data\/c\.png \(it has no picture data/,
  );
});

test("decoded in a worker: the same bits, and the same error", async () => {
  const offload = offloading();
  let task: WorkerTask<unknown, object> | undefined;
  const watched: Offload = (work) => {
    const made = offload(work);
    task = made as unknown as typeof task;
    return made;
  };
  const content = { "a.png": grey(7, 8), "b.png": grey(9, 10), "c.png": spoilt };
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

test("JPEG and WebP in a worker: the same bits, from text alone", async () => {
  const content = { "a.jpg": pillowFile("420.jpg"), "b.webp": pillowFile("lossy.webp") };
  const offload = offloading();
  let task: WorkerTask<unknown, object> | undefined;
  const watched: Offload = (work) => {
    const made = offload(work);
    task = made as unknown as typeof task;
    return made;
  };
  const plugin = picturesDataset({ size: [8, 8], flip: true });
  const there = await loadDataset(plugin, { ...dataFolder(content), offload: watched });
  const here = await (await loadDataset(plugin, dataFolder(content))).batch([0, 1, 2, 3], none);
  for (let i = 0; i < 2000 && task!.elsewhere < 2; i++) {
    assert.equal(await there.batch([0, 1, 2, 3], none), here);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assert.ok(task!.elsewhere >= 2, "the worker never answered");
  await there.dispose!();
});

const refused: Record<string, [content: FolderContent, classes: number | undefined, says: RegExp, cure: RegExp]> = {
  "an empty folder": [{ "x.txt": "" }, 0, /pictures from data: it holds no PNG, JPEG or WebP files$/, /--data/],
  "no folder": [{}, undefined, /from data: there is no such folder$/, /--data/],
  "other formats": [
    { "a.gif": "", "b.GIF": "" },
    undefined,
    /it holds 2 gif and no PNG, JPEG or WebP files, which alone are read$/,
    /magick mogrify -format png \*\.gif$/,
  ],
  "an empty class": [
    { "a/1.png": sound, "b/x.txt": "" },
    undefined,
    /the subfolder b holds no PNG, JPEG or WebP files/,
    /remove it/,
  ],
  "other classes": [
    { "a/1.png": sound },
    2,
    /1 subfolders, should have one for each of 2/,
    /leave dataset\.classes out/,
  ],
  "pictures beside classes": [
    { "a/1.png": sound, "2.png": sound },
    undefined,
    /1 pictures lie beside 1 subfolders with pictures \(a\)$/,
    /dataset\.classes=0$/,
  ],
  "another format": [
    { "a.png": "GIF89a" },
    0,
    /data\/a\.png: it is no PNG, JPEG or WebP file/,
    /dataset\.skipBad=true$/,
  ],
  "a picture of no width": [
    { "a.png": pngOf({ width: 0, height: 1, colour: 0 }) },
    0,
    /its header says 0 x 1 pixels/,
    /again/,
  ],
  CMYK: [
    { "a.jpg": pillowFile("cmyk.jpg") },
    0,
    /data\/a\.jpg: it is a CMYK JPEG, should be grey or RGB$/,
    /save it as an ordinary RGB picture; or/,
  ],
  "another size": [
    { "a.png": sound, "b.png": headed({ width: 3, height: 1, colour: 0 }), "c.png": sound },
    0,
    /data\/b\.png: it is 3 x 1, most others are 2 x 1$/,
    /--set dataset\.size=\[1,2\] \(height, width\), or take the middle .* dataset\.crop=\[1,2\] \(height, width\); or leave/,
  ],
};
for (const [name, [content, classes, says, cure]] of Object.entries(refused))
  test(`refused: ${name}`, async () => {
    const { code, message, fix } = await refusedDataset(picturesDataset({ classes }), dataFolder(content));
    assert.is(code, "E_DATA", message);
    assert.match(message, says);
    assert.match(fix, cure);
  });

test("refused: a size that is no height and width", async () => {
  const { code, message } = await refusedDataset(picturesDataset({ size: [16] }), dataFolder({ "a.png": sound }));
  assert.is(code, "E_OPTION");
  assert.match(message, /size is \[16\], should be a height and a width/);
});

test("refused: no data folder", async () => {
  assert.match((await refusedDataset(picturesDataset(), {})).message, /no data folder.*--data$/);
});

test.run();
