import { suite } from "uvu";
import * as assert from "uvu/assert";
import { OnestepError } from "../../../../core/errors.ts";
import { decodePicture, framed, pictureFault, pictureHeader } from "../../../../core/io/mod.ts";
import { pillowFile, pillowNames, pillowPixels } from "../../../helpers/pillowPictures.ts";

const test = suite("core/io/pictures/pictureDecoder");

const REFUSED: Readonly<Record<string, RegExp>> = {
  "cmyk.jpg": /^it is a CMYK JPEG, should be grey or RGB$/,
  "animated.webp": /^it is an animated WebP, should be a single picture$/,
};
const read = pillowNames().filter((name) => !(name in REFUSED));
const formatOf = (name: string) => (name.endsWith(".png") ? "PNG" : name.endsWith(".jpg") ? "JPEG" : ("WebP" as const));

/** What is thrown, if it is one coded line. */
async function refusal(bytes: Uint8Array): Promise<string | undefined> {
  const error = await decodePicture(bytes, "x").then(
    () => undefined,
    (reason) => reason,
  );
  if (error === undefined) return undefined;
  assert.instance(error, OnestepError);
  assert.is(error.code, "E_DATA");
  assert.match(error.message, /^Cannot use x: [\x20-\x7e]+, should [\x20-\x7e]+$|cannot hold$/);
  return error.message;
}

test("every kind of PNG, JPEG and WebP has Pillow's bytes, and a header that says so", async () => {
  const pixels = await pillowPixels();
  assert.ok(read.length >= 44, `${read.length} files`);
  for (const name of read) {
    const bytes = pillowFile(name);
    const expected = pixels.get(name)!;
    const { width, height, channels } = expected;
    assert.equal(pictureHeader(bytes), { format: formatOf(name), width, height, channels }, name);
    assert.is(pictureFault(bytes), undefined, name);
    const { data, ...size } = await decodePicture(bytes, name);
    assert.equal(size, { width, height, channels }, name);
    const wrong = data.findIndex((value, i) => value !== expected.data[i]);
    assert.is(wrong, -1, `${name}: byte ${wrong} is ${data[wrong]}, Pillow's is ${expected.data[wrong]}`);
  }
});

test("no channel of a JPEG is brighter or darker than in Pillow", async () => {
  const pixels = await pillowPixels();
  for (const name of ["420.jpg", "422.jpg", "444.jpg", "progressive.jpg", "wideGamut.jpg"]) {
    const { data, channels } = await decodePicture(pillowFile(name), name);
    const sums = [0, 0, 0];
    for (let i = 0; i < data.length; i++) sums[i % channels] += data[i] - pixels.get(name)!.data[i];
    assert.equal(sums, [0, 0, 0], name);
  }
});

test("the middle, resized, is what EDM's dataset_tool stores; stretching is Pillow's", async () => {
  const pixels = await pillowPixels();
  const picture = await decodePicture(pillowFile("420.jpg"), "420.jpg");
  const middle = framed(picture, { size: [16, 16], fit: "crop", filter: "lanczos" });
  assert.equal(middle, pixels.get("420.jpg middle 16 x 16"));
  const stretched = framed(picture, { size: [10, 24], fit: "stretch", filter: "bicubic" });
  assert.equal(stretched, pixels.get("420.jpg stretched 10 x 24"));
});

for (const [name, why] of Object.entries(REFUSED))
  test(`refused: ${name}, and files after it are decoded`, async () => {
    const header = pictureHeader(pillowFile(name));
    assert.match("fault" in header ? header.fault : "", why);
    assert.match((await refusal(pillowFile(name)))!, new RegExp(why.source.slice(1)));
    assert.is(await refusal(pillowFile("420.jpg")), undefined);
    assert.is(await refusal(pillowFile("lossy.webp")), undefined);
  });

test("cut short anywhere: one line, told without decoding", async () => {
  for (const name of ["rgb8.png", "grey2Adam7.png", "420.jpg", "progressive.jpg", "lossy.webp", "lossless.webp"]) {
    const bytes = pillowFile(name);
    for (let length = 0; length < bytes.length; length += 7) {
      const cut = bytes.slice(0, length);
      assert.ok(pictureFault(cut), `${name} of ${length} bytes`);
      assert.ok(await refusal(cut), `${name} of ${length} bytes`);
    }
  }
});

test("picture data that are damaged inside sound files: one line with what the decoder says", async () => {
  const jpeg = pillowFile("420.jpg");
  // The data end in the middle, the file does not.
  const short = Uint8Array.from([...jpeg.subarray(0, jpeg.length - 200), 0xff, 0xd9]);
  assert.is(pictureFault(short), undefined);
  assert.match(
    (await refusal(short))!,
    /damaged or incomplete \(Corrupt JPEG data: premature end of data segment\), should be a whole JPEG file$/,
  );
  // A code of ones alone, which no table has.
  const coded = jpeg.slice();
  for (let at = coded.length - 150; at < coded.length - 100; at += 2) coded.set([0xff, 0x00], at);
  const webp = pillowFile("lossless.webp");
  webp.fill(0x55, 40, 80);
  for (const bytes of [coded, webp]) {
    assert.is(pictureFault(bytes), undefined);
    assert.match(String(await refusal(bytes)), /damaged or incomplete.*, should be a whole (JPEG|WebP) file$/);
  }
  for (const name of ["420.jpg", "lossless.webp"]) assert.is(await refusal(pillowFile(name)), undefined);
});

test("a size that the file cannot hold is believed no further", async () => {
  const jpeg = pillowFile("420.jpg");
  const frame = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xc0);
  const claim = (height: number, width: number) => {
    const bytes = jpeg.slice();
    new DataView(bytes.buffer).setUint16(frame + 5, height);
    new DataView(bytes.buffer).setUint16(frame + 7, width);
    return bytes;
  };
  assert.match(pictureFault(claim(65_000, 65_000))!, /^it claims 65000 x 65000 pixels, should have at most 89478485$/);
  assert.match(pictureFault(claim(8000, 8000))!, /^it claims 8000 x 8000 pixels, which its \d+ bytes cannot hold$/);
  assert.match(pictureFault(claim(0, 8))!, /^its header says 8 x 0 pixels, should be a whole JPEG file$/);
  assert.ok(await refusal(claim(8000, 8000)));
});

test("the global ImageData is as it was", async () => {
  const before = Object.getOwnPropertyDescriptor(globalThis, "ImageData");
  await decodePicture(pillowFile("420.jpg"), "420.jpg");
  assert.equal(Object.getOwnPropertyDescriptor(globalThis, "ImageData"), before);
});

test.run();
