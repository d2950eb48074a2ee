import { suite } from "uvu";
import * as assert from "uvu/assert";
import { cocoDataset } from "../../../plugins/datasets/coco.ts";
import { loadDataset, refusedDataset } from "../../helpers/datasets.ts";
import { levelsOf, picture, toldFolder } from "../../helpers/namedPictures.ts";

const test = suite("plugins/datasets/coco");

const none = () => 0;
interface Captions {
  readonly images: unknown;
  readonly annotations: unknown;
}
const whole = {
  images: [
    { id: 7, file_name: "b.png", width: 2, height: 1 },
    { id: 3, file_name: "a.png" },
  ],
  annotations: [
    { id: 1, image_id: 3, caption: "first of a " },
    { id: 2, image_id: 7, caption: "first of b" },
    { id: 0, image_id: 3, caption: "second of a" },
  ],
};
const folderOf = (captions: Captions | string, pictures: Record<string, Uint8Array>) =>
  toldFolder({
    "annotations/captions_val2014.json": typeof captions === "string" ? captions : JSON.stringify(captions),
    "annotations/instances_val2014.json": "{}",
    ...pictures,
  });
const pictures = { "val2014/a.png": picture(1), "val2014/b.png": picture(2) };

test("pictures come in the order of the JSON, each with the first of its captions", async () => {
  const folder = folderOf(whole, { ...pictures, "val2014/c.png": picture(3) });
  const set = await loadDataset(cocoDataset(), folder);
  assert.equal(levelsOf((await set.batch([0, 1], none)).x), [2, 1]);
  assert.equal(await set.captions!([0, 1]), ["first of b", "first of a"]);
  assert.equal(set.shape.condition, {});
  assert.equal(folder.said, [
    "2 pictures, 2 x 1, grey, read when they are needed; no classes; captions; 1 pictures of data/val2014 are not in data/annotations/captions_val2014.json",
  ]);
});

test("options name the captions and the pictures", async () => {
  const folder = toldFolder({ "x.json": JSON.stringify(whole), "p/a.png": picture(1), "p/b.png": picture(2) });
  const set = await loadDataset(cocoDataset({ captions: "data/x.json", pictures: "data/p" }), folder);
  assert.is(set.size, 2);
});

const refused: Record<string, [captions: Captions | string, pictures: Record<string, Uint8Array>, says: RegExp]> = {
  "a picture that is not there": [
    whole,
    { "val2014/b.png": picture(2) },
    /^Cannot use data\/val2014\/a\.png: data\/annotations\/captions_val2014\.json names it, it is not there$/,
  ],
  "pictures that are nowhere": [
    whole,
    {},
    /b\.png, which .* names first, is in none of data\/val2014, data\/images, data$/,
  ],
  "a picture without a caption": [
    { ...whole, annotations: whole.annotations.slice(1, 2) },
    pictures,
    /val2014\/a\.png: it has no caption, 1 of 2 have one$/,
  ],
  "captions without a picture": [
    { ...whole, annotations: [...whole.annotations, { image_id: 99, caption: "x" }] },
    pictures,
    /it has a caption for picture 99, which it does not name$/,
  ],
  "no captions at all": [{ ...whole, annotations: [] }, pictures, /it has no caption for any of 2 pictures$/],
  "something else": [{ images: [], annotations: 3 }, pictures, /it has no lists images and annotations$/],
  "boxes instead of captions": [
    { ...whole, annotations: [{ image_id: 3, bbox: [0, 0, 1, 1] }] },
    pictures,
    /annotation 0 has no image_id and caption$/,
  ],
  "a name that leads elsewhere": [
    { ...whole, images: [{ id: 1, file_name: "../secret.png" }] },
    pictures,
    /picture 0 is named "\.\.\/secret\.png", which leads to another folder$/,
  ],
  "two pictures of one id": [
    { ...whole, images: [...whole.images, { id: 3, file_name: "c.png" }] },
    pictures,
    /it has two pictures with id 3$/,
  ],
  "no JSON": ["{", pictures, /captions_val2014\.json: it is no JSON$/],
};
for (const [name, [captions, files, says]] of Object.entries(refused))
  test(`refused: ${name}`, async () => {
    const { code, message } = await refusedDataset(cocoDataset(), folderOf(captions, files));
    assert.is(code, "E_DATA", message);
    assert.match(message, says);
  });

test("refused: no captions, or captions of several splits", async () => {
  const none = await refusedDataset(cocoDataset(), toldFolder(pictures));
  assert.match(none.message, /it has 0 files captions….json, should have one$/);
  const two = toldFolder({ "captions_train2014.json": "{}", "captions_val2014.json": "{}" });
  const { message, fix } = await refusedDataset(cocoDataset(), two);
  assert.match(
    message,
    /it has 2 files captions….json \(data\/captions_train2014\.json, data\/captions_val2014\.json\)/,
  );
  assert.match(fix, /--set dataset\.captions=FILE/);
});

test.run();
