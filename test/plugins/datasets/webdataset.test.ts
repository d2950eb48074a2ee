import { gzipSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { classLabel } from "../../../core/interfaces/mod.ts";
import { webdatasetDataset } from "../../../plugins/datasets/webdataset.ts";
import { loadDataset, refusedDataset } from "../../helpers/datasets.ts";
import { countingFiles, levelsOf, picture, toldFolder } from "../../helpers/namedPictures.ts";
import { tarFile } from "../../helpers/tarFile.ts";

const test = suite("plugins/datasets/webdataset");

const utf8 = (text: string) => new TextEncoder().encode(text);
const none = () => 0;
const sample = (key: string, level: number, label: number, caption = `picture ${level}`) => ({
  [`${key}.png`]: picture(level),
  [`${key}.cls`]: utf8(`${label}\n`),
  [`${key}.txt`]: utf8(caption),
});
const shards = {
  "train-000000.tar": tarFile({ ...sample("a", 1, 0), ...sample("b", 2, 2) }, { times: true }),
  "train-000001.tar": tarFile({ ...sample("./x/a", 3, 1), notes: utf8("x"), ".DS_Store": utf8("x") }),
  "val-000000.tar": tarFile(sample("v", 9, 5)),
};

test("files with one key are a sample: its picture, class and caption, in order of shards", async () => {
  const folder = toldFolder(shards);
  const set = await loadDataset(webdatasetDataset({ shards: "train-{000000..000001}.tar" }), folder);
  assert.equal(set.shape, { sample: [1, 1, 2], condition: classLabel(3), sigmaData: 0.5 });
  const { x, condition } = await set.batch([2, 0, 1], none);
  assert.equal([set.size, levelsOf(x), [...condition.label]], [3, [3, 1, 2], [1, 0, 2]]);
  assert.equal(await set.captions!([1, 2]), ["picture 2", "picture 3"]);
  assert.equal(folder.said, ["3 pictures, 2 x 1, grey, read when they are needed; 3 classes; captions; 2 shards"]);
});

test("--data is a folder of shards, one of them, or a pattern", async () => {
  const sizes: [path: string, size: number][] = [
    ["data", 4],
    ["data/val-000000.tar", 1],
    ["data/{train,val}-000000.tar", 3],
    ["data/train-{0..1}00000.tar", 0],
  ];
  for (const [path, size] of sizes.slice(0, 3))
    assert.is((await loadDataset(webdatasetDataset(), toldFolder(shards, path))).size, size);
  const missing = await refusedDataset(webdatasetDataset(), toldFolder(shards, sizes[3][0]));
  assert.match(missing.message, /1 of 2 shards are not there \(data\/train-100000\.tar\)$/);
});

test("captions of JSON, as img2dataset writes them; other files are counted and passed over", async () => {
  const json = (caption: string) => utf8(JSON.stringify({ caption, key: "x" }));
  const content = {
    "a.png": picture(1),
    "a.json": json("one"),
    "b.png": picture(2),
    "b.json": json("zwei"),
    "b.npy": utf8("x"),
  };
  const folder = toldFolder({ "0.tar": tarFile(content) });
  const set = await loadDataset(webdatasetDataset(), folder);
  assert.equal(await set.captions!([0, 1]), ["one", "zwei"]);
  assert.match(folder.said[0], /; no classes; captions; 1 shard; 1 \.npy are passed over$/);
  const other = { "a.png": picture(1), "a.json": utf8('{"width": 3}') };
  assert.is((await loadDataset(webdatasetDataset(), toldFolder({ "0.tar": tarFile(other) }))).captions, undefined);
});

test("a batch reads the bytes of its own pictures, and no more", async () => {
  const many = Object.assign({}, ...Array.from({ length: 200 }, (_, i) => sample(String(i), i, i % 7)));
  const folder = toldFolder({ "0.tar": tarFile(many) });
  const { files, counted } = countingFiles(folder.files);
  const set = await loadDataset(webdatasetDataset(), { ...folder, files });
  const [all, before] = [counted.bytes, counted.calls];
  const { x } = await set.batch([3, 177, 3], none);
  assert.equal(levelsOf(x), [3, 177, 3]);
  assert.is(counted.calls - before, 3);
  assert.is(counted.bytes - all, 2 * picture(3).length + picture(177).length);
});

const cut = tarFile(sample("a", 1, 0)).slice(0, 540);
const refused: Record<string, [content: Record<string, Uint8Array>, says: RegExp, path?: string]> = {
  "no shards": [{ "x.txt": utf8("") }, /webdataset from data: it holds no \.tar files$/],
  "shards that are packed": [{ "a.tar.gz": utf8("x") }, /it holds no \.tar files, but a\.tar\.gz$/],
  "a packed shard by name": [
    { "a.tar": new Uint8Array(gzipSync(tarFile(sample("a", 1, 0)))) },
    /data\/a\.tar: it is packed by gzip, in which no entry can be read by its place$/,
  ],
  "a shard that is cut short": [
    { "a.tar": cut },
    /^Cannot read data\/a\.tar: entry "a\.png" is cut short: it has 28 of/,
  ],
  "no tar": [{ "a.tar": utf8("text ".repeat(200)) }, /does not fit its checksum/],
  "captions without pictures": [
    { "a.tar": tarFile({ ...sample("a", 1, 0), "b.cls": utf8("1"), "b.txt": utf8("x") }) },
    /sample "b": it has no picture, only cls, txt, should have one$/,
  ],
  "pictures without captions": [
    { "a.tar": tarFile({ ...sample("a", 1, 0), "b.png": picture(1), "b.cls": utf8("1") }) },
    /entry "b\.png": it has no caption, 1 of 2 have one$/,
  ],
  "pictures without a class": [
    { "a.tar": tarFile({ ...sample("a", 1, 0), "b.png": picture(1), "b.txt": utf8("1") }) },
    /entry "b\.png": it has no label, 1 of 2 have one$/,
  ],
  "a class that is none": [
    { "a.tar": tarFile({ "a.png": picture(1), "a.cls": utf8("cat") }) },
    /entry "a\.png": its \.cls is "cat", should be the digits of a class$/,
  ],
  "two pictures of one sample": [
    { "a.tar": tarFile({ "a.png": picture(1), "a.jpg": utf8("x") }) },
    /sample "a": it has 2 pictures \(png, jpg\), should have one$/,
  ],
  "a sample that is there twice": [
    {
      "a.tar": tarFile({
        ...sample("a", 1, 0),
        ...sample("b", 1, 0),
        "./a.png": picture(1),
        "./a.cls": utf8("1"),
        "./a.txt": utf8("1"),
      }),
    },
    /sample "a": its shard has that sample twice$/,
  ],
  "braces that mean nothing": [{}, /\{9\.\.1\} is no list and no range/, "data/{9..1}.tar"],
  "braces that are not closed": [{}, /braces are not closed/, "data/{a,b}.tar{"],
  "too many shards": [{}, /means more than 100000 files/, "data/{1..1000}{1..1000}.tar"],
};
for (const [name, [content, says, path]] of Object.entries(refused))
  test(`refused: ${name}`, async () => {
    const { code, message } = await refusedDataset(webdatasetDataset(), toldFolder({ ...content, keep: "" }, path));
    assert.is(code, "E_DATA", message);
    assert.match(message, says);
  });

test("skipBad leaves out samples that are not whole", async () => {
  const content = {
    ...sample("a", 1, 0),
    "b.txt": utf8("x"),
    ...sample("c", 3, 1),
    "d.png": utf8("no"),
    "d.cls": utf8("1"),
    "d.txt": utf8("d"),
  };
  const folder = toldFolder({ "0.tar": tarFile(content) });
  const set = await loadDataset(webdatasetDataset({ skipBad: true }), folder);
  assert.equal([set.size, await set.captions!([1])], [2, ["picture 3"]]);
  assert.match(folder.said[0], /2 are left out: .*sample "b" \(it has no picture/);
});

test("a caption that is no text names its picture", async () => {
  const content = { "a.png": picture(1), "a.txt": Uint8Array.of(255, 254) };
  const set = await loadDataset(webdatasetDataset(), toldFolder({ "0.tar": tarFile(content) }));
  const error = await set.captions!([0]).catch((reason) => reason);
  assert.match(error.message, /^Cannot use the caption of data\/0\.tar, entry "a\.png": "a\.txt" is no text in UTF-8$/);
});

test.run();
