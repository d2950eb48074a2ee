import { suite } from "uvu";
import * as assert from "uvu/assert";
import { resize, toBytes } from "../../../../core/pixels/mod.ts";
import { prepared, preparedShape } from "../../../../plugins/metrics/shared/pictures.ts";
import { numbers } from "../../support.ts";

const test = suite("plugins/metrics/shared/pictures");

const plain = { bytes: "round", size: 0 } as const;
const anything = { channels: [1, 3], smallest: 1 };
const x = numbers([2, 3, 7, 10]);
const bytes = toBytes(x, "round");
const plane = (n: number) => bytes.slice(70 * n, 70 * (n + 1));
const picture = (data: Uint8Array) => ({ width: 10, height: 7, channels: 1, data });
/** A plane without the columns and rows around its middle. */
const cut = (data: Uint8Array, left: number, top: number, side: number) =>
  Uint8Array.from({ length: side * side }, (_, i) => data[(top + Math.floor(i / side)) * 10 + left + (i % side)]);
const back = (data: ArrayLike<number>) =>
  Float32Array.from(data, (byte) => Math.min(255, Math.max(0, byte)) / 127.5 - 1);
/** Planes that are made one by one. */
const planes = (make: (data: Uint8Array) => ArrayLike<number>) =>
  Float32Array.from(Array.from({ length: 6 }, (_, n) => [...back(make(plane(n)))]).flat());

test("bytes and nothing else where nothing else is asked for", () => {
  assert.equal(preparedShape([3, 7, 10], plain, anything), [3, 7, 10]);
  assert.equal(prepared(x, [3, 7, 10], plain, anything), back(bytes));
});

test("the protocol's size: the middle square by Lanczos; an odd rest is halved to the even number", () => {
  const how = { ...plain, size: 5 };
  assert.equal(preparedShape([3, 7, 10], how, anything), [3, 5, 5]);
  // 3 columns too many: half of them, 1.5, is 2.
  const wanted = planes((data) => {
    const square = { width: 7, height: 7, channels: 1, data: cut(data, 2, 0, 7) };
    return resize(square, { width: 5, height: 5 }, "lanczos").data;
  });
  assert.equal(prepared(x, [3, 7, 10], how, anything), wanted);
});

test("a patch: the middle of pictures that are large enough, smaller ones whole", () => {
  assert.equal(preparedShape([3, 7, 10], { ...plain, cut: 5 }, anything), [3, 5, 5]);
  // 5 columns too many: 2.5 is 2; 2 rows: 1.
  assert.equal(
    prepared(x, [3, 7, 10], { ...plain, cut: 5 }, anything),
    planes((data) => cut(data, 2, 1, 5)),
  );
  assert.equal(preparedShape([3, 7, 10], { ...plain, cut: 8 }, anything), [3, 7, 10]);
  assert.equal(prepared(x, [3, 7, 10], { ...plain, cut: 8 }, anything), back(bytes));
});

test("the extractor's size: stretched as floats or as bytes, or the shorter side and then the middle", () => {
  const to = (reads: object) => prepared(x, [3, 7, 10], plain, { ...anything, size: 6, ...reads });
  const size = { width: 6, height: 6 };
  const floats = planes((data) => resize({ ...picture(data), data: Float32Array.from(data) }, size, "bicubic").data);
  assert.equal(to({}), floats);
  assert.equal(
    to({ resized: "bytes" }),
    planes((data) => resize(picture(data), size, "bicubic").data),
  );
  // 10 · 6/7 = 8.57 is 8; then one column on each side goes.
  const cropped = planes((data) => {
    const { data: wide } = resize(picture(data), { width: 8, height: 6 }, "bicubic");
    return Uint8Array.from({ length: 36 }, (_, i) => wide[Math.floor(i / 6) * 8 + 1 + (i % 6)]);
  });
  assert.equal(to({ resized: "bytes", fit: "crop" }), cropped);
  assert.equal(preparedShape([3, 7, 10], plain, { ...anything, size: 6 }), [3, 6, 6]);
});

test.run();
