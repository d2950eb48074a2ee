import { deflateSync } from "node:zlib";
import { encode } from "fast-png";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { pngHeader } from "../../../../core/io/pictures/pngHeader.ts";
import { pngPixels } from "../../../../core/io/pictures/pngPixels.ts";
import { chunkOf, pngOf } from "../../../helpers/pngFiles.ts";
import { counting } from "../../../soak/fuzzing/allocations.ts";

const test = suite("core/io/pictures/pngPixels");

const byte = (n: number) => (n * 73 + (n >> 3) * 31) & 255;

for (const channels of [1, 3] as const)
  test(`${channels} channels: pixels are those that fast-png has written`, async () => {
    const [width, height] = [13, 7];
    const data = Uint8Array.from({ length: width * height * channels }, (_, i) => byte(i));
    const file = encode({ width, height, channels, data });
    assert.equal(pngHeader(file), {
      width,
      height,
      depth: 8,
      colour: channels === 1 ? 0 : 2,
      interlaced: false,
    });
    assert.equal(await pngPixels(file), { width, height, channels, data });
  });

test("every filter is undone, and the picture data may be in several chunks", async () => {
  const [W, H, C] = [5, 6, 3];
  const pixels = Uint8Array.from({ length: W * H * C }, (_, i) => byte(i));
  const at = (y: number, i: number) => (y < 0 || i < 0 ? 0 : pixels[y * W * C + i]);
  const paeth = (a: number, b: number, c: number) => {
    const nearest = Math.min(...[a, b, c].map((each) => Math.abs(a + b - c - each)));
    return [a, b, c].find((each) => Math.abs(a + b - c - each) === nearest)!;
  };
  const rows = Array.from({ length: H }, (_, y) => {
    const filter = y % 5;
    const row = Array.from({ length: W * C }, (_, i) => {
      const [a, b, c] = [at(y, i - C), at(y - 1, i), i < C ? 0 : at(y - 1, i - C)];
      const foretold = [0, a, b, (a + b) >> 1, paeth(a, b, c)][filter];
      return (pixels[y * W * C + i] - foretold) & 255;
    });
    return [filter, ...row];
  });
  const packed = deflateSync(Uint8Array.from(rows.flat()));
  const chunks = [packed.subarray(0, 20), packed.subarray(20)].map((part) => chunkOf("IDAT", part));
  const file = pngOf({ width: W, height: H, colour: 2 }, ...chunks);
  assert.equal((await pngPixels(file))?.data, pixels);
});

test("a file that is damaged, cut short, or not of its size has no pixels", async () => {
  const sound = encode({ width: 4, height: 4, channels: 1, data: new Uint8Array(16).map(byte) });
  const header = { width: 4, height: 4, colour: 0 };
  const holding = (rows: Uint8Array) => pngOf(header, chunkOf("IDAT", deflateSync(rows)));
  const flipped = sound.slice();
  flipped[flipped.length - 20] ^= 255;
  const broken: Record<string, Uint8Array> = {
    flipped,
    "cut in its chunk": sound.slice(0, 50),
    "without picture data": pngOf(header),
    "too few rows": holding(new Uint8Array(15)),
    "too many rows": holding(new Uint8Array(25)),
    "a filter that is none": holding(new Uint8Array(20).fill(5)),
  };
  assert.ok(await pngPixels(sound));
  for (const [name, file] of Object.entries(broken)) assert.is(await pngPixels(file), undefined, name);
});

test("pngHeader: what is no PNG has none", () => {
  const bytes = new TextEncoder().encode("GIF89a, and more than thirty-three bytes of it");
  assert.is(pngHeader(bytes), undefined);
  assert.is(pngHeader(new Uint8Array(0)), undefined);
});

test("a size that the data can't fill is believed no further", async () => {
  // A header of 13 bytes claims gigabytes; the data are 11 bytes, which 1,032 times as many could come of.
  const data = chunkOf("IDAT", deflateSync(new Uint8Array(9)));
  for (const side of [30_000, 2 ** 31, 2 ** 32 - 1, 107])
    for (const interlace of [0, 1]) {
      const file = pngOf({ width: side, height: side, colour: 0, interlace }, data);
      assert.is(
        await counting(async (allocated) => {
          assert.is(await pngPixels(file), undefined);
          return Math.floor(allocated().arrays / 1000);
        }),
        0,
        "hardly anything is allocated",
      );
    }
  // As much as there can be is believed.
  const zeros = pngOf(
    { width: 1000, height: 1000, colour: 0 },
    chunkOf("IDAT", deflateSync(new Uint8Array(1001 * 1000))),
  );
  assert.equal((await pngPixels(zeros))?.data, new Uint8Array(1000 * 1000));
});

test("bytes behind the end of the picture data are damage on every runtime", async () => {
  const data = deflateSync(new Uint8Array(20));
  const broken = async (...parts: Uint8Array[]) => {
    const file = pngOf({ width: 4, height: 4, colour: 0 }, ...parts.map((part) => chunkOf("IDAT", part)));
    return (await pngPixels(file)) === undefined;
  };
  assert.not.ok(await broken(data));
  assert.not.ok(await broken(data.subarray(0, 6), new Uint8Array(0), data.subarray(6)));
  assert.ok(await broken(data, Uint8Array.of(1, 2, 3)));
});

test("a palette that lacks a colour of the picture, or is not there, is damage", async () => {
  const data = chunkOf("IDAT", deflateSync(Uint8Array.of(0, 0b01_10_00_00)));
  const of = (...palette: number[]) => {
    const chunks = palette.length > 0 ? [chunkOf("PLTE", Uint8Array.from(palette)), data] : [data];
    return pngPixels(pngOf({ width: 2, height: 1, colour: 3, depth: 2 }, ...chunks));
  };
  assert.equal((await of(0, 0, 0, 1, 2, 3, 4, 5, 6))?.data, Uint8Array.of(1, 2, 3, 4, 5, 6));
  assert.is(await of(0, 0, 0, 1, 2, 3), undefined);
  assert.is(await of(), undefined);
});

test.run();
