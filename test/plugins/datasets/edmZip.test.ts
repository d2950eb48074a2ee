import { suite } from "uvu";
import * as assert from "uvu/assert";
import { classLabel } from "../../../core/interfaces/mod.ts";
import { edmZipDataset } from "../../../plugins/datasets/edmZip.ts";
import { picturesDataset } from "../../../plugins/datasets/pictures.ts";
import { loadDataset, refusedDataset } from "../../helpers/datasets.ts";
import { levelsOf, picture, toldFolder } from "../../helpers/namedPictures.ts";
import { pillowFile } from "../../helpers/pillowPictures.ts";
import { type ZipStyle, zipFile } from "../../helpers/zipFile.ts";

const test = suite("plugins/datasets/edmZip");

const utf8 = (text: string) => new TextEncoder().encode(text);
const none = () => 0;
const labels = (...pairs: unknown[]) => utf8(JSON.stringify({ labels: pairs }));
/** Entries neither in order of names, nor in that of the labels. */
const sound = {
  "00000/img2.png": picture(2),
  "dataset.json": labels(["00000/img1.png", 0], ["00000/img0.png", 4], ["00000/img2.png", 1]),
  "00000/img0.png": picture(0),
  "00000/img1.png": picture(1),
};
const folderOf = (entries: Record<string, Uint8Array>, style?: ZipStyle) =>
  toldFolder({ "set.zip": zipFile(entries, style) });

for (const [name, style] of Object.entries<ZipStyle>({ stored: {}, deflated: { deflate: true } }))
  test(`pictures ${name} come in order of names, labels by name`, async () => {
    const folder = folderOf(sound, style);
    const { shape, size, batch, fingerprint } = await loadDataset(edmZipDataset(), folder);
    assert.equal(shape, { sample: [1, 1, 2], condition: classLabel(5), sigmaData: 0.5 });
    const { x, condition } = await batch([2, 0, 1], none);
    assert.equal([size, levelsOf(x), [...condition.label]], [3, [2, 0, 1], [1, 4, 0]]);
    assert.equal(folder.said, ["3 pictures, 2 x 1, grey, read when they are needed; 5 classes"]);
    const same = await loadDataset(edmZipDataset(), folderOf(sound));
    assert.is(await same.fingerprint!(), await fingerprint!());
    const { "00000/img0.png": left, ...rest } = sound;
    const other = await loadDataset(edmZipDataset({ classes: 0 }), folderOf(rest));
    assert.is.not(await other.fingerprint!(), await fingerprint!());
    assert.ok(left);
  });

test("JPEG and WebP of several sizes, resized and mirrored as in a folder", async () => {
  const entries = { "a.jpg": pillowFile("420.jpg"), "b.webp": pillowFile("lossy.webp"), "c.png": picture(9) };
  const options = { size: [8, 8], flip: true };
  const folder = folderOf(entries);
  const inside = await loadDataset(edmZipDataset(options), folder);
  assert.match(
    folder.said[0],
    /^3 pictures \(1 JPEG, 1 WebP, 1 PNG\), 8 x 8, RGB, read when they are needed; 1 that are grey become RGB; 1 smaller/,
  );
  const beside = await loadDataset(picturesDataset(options), toldFolder(entries));
  const unchecked = await loadDataset(edmZipDataset({ ...options, check: false }), folderOf(entries));
  const expected = await beside.batch([0, 1, 2, 3, 5], none);
  for (const { size, batch } of [inside, unchecked]) {
    assert.is(size, 6);
    assert.equal((await batch([0, 1, 2, 3, 5], none)).x, expected.x);
  }
});

test("--data is the archive itself, or dataset.file names it; labels may be left alone", async () => {
  const content = { "a.zip": zipFile(sound), "b.zip": zipFile({ "x.png": picture(7) }) };
  const itself = await loadDataset(edmZipDataset(), toldFolder(content, "data/a.zip"));
  assert.is(itself.size, 3);
  const plain = toldFolder(content);
  const named = await loadDataset(edmZipDataset({ file: "data/b.zip" }), plain);
  assert.equal([named.size, named.shape.condition], [1, {}]);
  assert.match(plain.said[0], /no classes; it has no dataset\.json with labels$/);
  const unlabelled = await loadDataset(edmZipDataset({ classes: 0 }), toldFolder(content, "data/a.zip"));
  assert.equal((await unlabelled.batch([0], none)).condition, {});
});

const broken = zipFile(sound);
broken[broken.indexOf(0x89) + 40] ^= 1;
type Options = NonNullable<Parameters<typeof edmZipDataset>[0]>;
const refused: Record<string, [content: Record<string, Uint8Array>, says: RegExp, options?: Options, cure?: RegExp]> = {
  "no archive": [{ "x.txt": utf8("") }, /edm-zip from data: it has 0 \.zip files, should have one/],
  "two archives": [
    { "a.zip": zipFile(sound), "b.zip": zipFile(sound) },
    /it has 2 \.zip files \(a\.zip, b\.zip\), should have one/,
    {},
    /--set dataset\.file=FILE/,
  ],
  "an archive that is cut short": [{ "a.zip": zipFile(sound).slice(0, 200) }, /data\/a\.zip: it is no complete zip/],
  "a damaged entry": [
    { "a.zip": broken },
    /^Cannot use data\/a\.zip, entry "00000\/img2\.png": the content of entry ".*" does not fit its size and checksum$/,
    {},
    /--set dataset\.skipBad=true/,
  ],
  "a picture that is none": [
    { "a.zip": zipFile({ ...sound, "00000/img1.png": utf8("GIF89a") }) },
    /entry "00000\/img1\.png": it is no PNG, JPEG or WebP file/,
  ],
  "a picture of another size": [
    { "a.zip": zipFile({ ...sound, "00000/img1.png": picture(1, 3) }) },
    /entry "00000\/img1\.png": it is 3 x 1, most others are 2 x 1$/,
    {},
    /dataset\.crop=\[1,2\]/,
  ],
  "pictures without labels": [
    { "a.zip": zipFile({ ...sound, "x.png": picture(1), "y.png": picture(2) }) },
    /entry "x\.png": it has no label, 3 of 5 have one; 1 more of 5 files cannot be used/,
  ],
  "labels without pictures": [
    {
      "a.zip": zipFile({
        ...sound,
        "dataset.json": labels(["00000/img0.png", 1], ["00000/img1.png", 1], ["00000/img2.png", 1], ["z.png", 0]),
      }),
    },
    /entry "z\.png": dataset\.json has a label for it, it is not there$/,
  ],
  "a label beyond the classes": [
    { "a.zip": zipFile(sound) },
    /entry "00000\/img0\.png": its label is 4, should be 0 to 1$/,
    { classes: 2 },
  ],
  "labels that are lists": [
    { "a.zip": zipFile({ "a.png": picture(1), "dataset.json": labels(["a.png", [0, 1]]) }) },
    /entry "a\.png": its label is a list, should be a class$/,
  ],
  "two labels for one picture": [
    { "a.zip": zipFile({ "a.png": picture(1), "dataset.json": labels(["a.png", 0], ["a.png", 1]) }) },
    /entry "dataset\.json": it has two labels for "a\.png"/,
  ],
  "labels that are no JSON": [
    { "a.zip": zipFile({ "a.png": picture(1), "dataset.json": utf8("{") }) },
    /entry "dataset\.json": it is no JSON$/,
  ],
  "classes without labels": [
    { "a.zip": zipFile({ "a.png": picture(1), "dataset.json": utf8('{"labels": null}') }) },
    /data\/a\.zip: it has no labels, should have 3 classes$/,
    { classes: 3 },
  ],
  "an archive without pictures": [
    { "a.zip": zipFile({ "a.npy": utf8("x"), "__MACOSX/._b.png": utf8("x") }) },
    /holds no pictures \(1 \.npy are passed over; it has no dataset\.json with labels\)$/,
  ],
  "a crop of one number": [{ "a.zip": zipFile(sound) }, /crop is \[1\], should be a height and a width/, { crop: [1] }],
  "skipBad without check": [{ "a.zip": zipFile(sound) }, /skipBad needs check/, { check: false, skipBad: true }],
};
for (const [name, [content, says, options, cure]] of Object.entries(refused))
  test(`refused: ${name}`, async () => {
    const { code, message, fix } = await refusedDataset(edmZipDataset(options), toldFolder(content));
    assert.match(message, says);
    assert.match(code, /^E_(DATA|OPTION)$/);
    if (cure) assert.match(fix, cure);
  });

test("skipBad leaves out what is damaged, unlike others or without a label, and says so", async () => {
  const entries = { ...sound, "x.png": picture(9), "00000/img3.png": picture(3, 5), "00000/img4.png": utf8("no") };
  const all = ["00000/img0.png", "00000/img1.png", "00000/img2.png", "00000/img3.png", "00000/img4.png", "gone.png"];
  const json = labels(...all.map((each, i) => [each, i % 2]));
  const folder = folderOf({ ...entries, "dataset.json": json });
  const set = await loadDataset(edmZipDataset({ skipBad: true }), folder);
  assert.is(set.size, 3);
  assert.match(folder.said[0], /; 4 are left out: .*gone\.png.*, .*"x\.png" \(it has no label, 5 of 6 have one\), /);
});

test("without check a bad picture ends the batch that has it", async () => {
  const entries = { ...sound, "00000/img1.png": utf8("no") };
  const set = await loadDataset(edmZipDataset({ check: false }), folderOf(entries));
  assert.equal(levelsOf((await set.batch([2, 0], none)).x), [2, 0]);
  const error = await Promise.resolve(set.batch([0, 1], none)).catch((reason) => reason);
  assert.match(error.message, /^Cannot use data\/set\.zip, entry "00000\/img1\.png": it is no PNG, JPEG or WebP file/);
  const wide = { ...sound, "00000/img1.png": picture(1, 3) };
  const other = await loadDataset(edmZipDataset({ check: false }), folderOf(wide));
  const unlike = await Promise.resolve(other.batch([1], none)).catch((reason) => reason);
  assert.match(unlike.message, /it is 3 x 1, grey, the first is 2 x 1, grey$/);
  assert.is(set.fingerprint, undefined);
});

test.run();
