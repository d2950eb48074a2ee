/** Readers of pictures. */

import { deflateSync } from "node:zlib";
import { crc32, decodePicture, pictureFault } from "../../../../core/io/mod.ts";
import { joined } from "../../../../core/tensor/mod.ts";
import { picturesDataset } from "../../../../plugins/mod.ts";
import { pillowFile, pillowNames } from "../../../helpers/pillowPictures.ts";
import { type Draw, utf8 } from "../draw.ts";
import { expect, sizeOf } from "../expect.ts";
import type { FuzzedParser } from "../fuzzParser.ts";
import { INFLATION, use } from "./images.ts";

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);

/** A PNG file of any kind: sizes that the data can't fill, palettes, alpha, depths, filters, interlace, chunks anywhere. */
function pngFile(draw: Draw): Uint8Array {
  const chunk = (name: string, content: Uint8Array, length = content.length) => {
    const head = new Uint8Array(8);
    new DataView(head.buffer).setUint32(0, length);
    head.set(utf8(name), 4);
    const sum = new Uint8Array(4);
    new DataView(sum.buffer).setUint32(
      0,
      draw.chance(0.99) ? crc32(joined([head.subarray(4), content])) : draw.below(256),
    );
    return joined([head, content, sum]);
  };
  const plain = draw.chance(0.6);
  const colour = plain ? draw.pick([0, 2]) : draw.pick([0, 2, 3, 4, 6, 1, 255]);
  const depth = plain ? 8 : draw.pick([1, 2, 4, 8, 16, 0]);
  // A large one of one colour: a small file that is many times as large in memory, and may be.
  const large = plain && draw.chance(0.03);
  const [width, height] = large ? [300, 300] : [draw.between(1, 6), draw.between(1, 6)];
  const claim = (side: number) => (draw.chance(0.93) ? side : draw.pick([0, 7, 300, 30_000, 2 ** 31 - 1, 2 ** 32 - 1]));
  const [claimedWidth, claimedHeight] = [claim(width), claim(height)];
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, claimedWidth);
  view.setUint32(4, claimedHeight);
  header.set([depth, colour, 0, 0, draw.chance(0.95) ? 0 : draw.pick([1, 255])], 8);
  const channels = colour === 2 || colour === 6 ? 3 : 1;
  const stride = 1 + Math.ceil((width * (channels + (colour > 3 ? 1 : 0)) * depth) / 8);
  const rows = Uint8Array.from({ length: stride * height }, (_, i) =>
    i % stride ? (large ? 7 : draw.below(256)) : draw.below(draw.chance(0.97) ? 5 : 256),
  );
  const short = draw.chance(0.95) ? rows : rows.subarray(0, draw.below(rows.length));
  const packed = joined([new Uint8Array(deflateSync(short)), draw.bytes(draw.chance(0.97) ? 0 : 5)]);
  const cut = draw.chance(0.7) ? packed.length : draw.below(packed.length);
  const chunks = [packed.subarray(0, cut), packed.subarray(cut)].map((part) => chunk("IDAT", part));
  if (draw.chance(0.3))
    chunks.splice(draw.below(3), 0, chunk(draw.pick(["PLTE", "tRNS", "tEXt", "IHDR"]), draw.bytes(6)));
  if (draw.chance(0.03)) chunks.push(chunk("IDAT", draw.bytes(3), draw.pick([0, 2 ** 31, 2 ** 32 - 1])));
  const end = draw.chance(0.97) ? [chunk("IEND", new Uint8Array(0))] : [];
  return draw.damaged(joined([SIGNATURE, chunk("IHDR", header), ...chunks, ...end]), 0.7);
}

/** A stored file of Pillow's, with its size and other bytes of its header changed now and then, damaged or not. */
function pillowLike(draw: Draw, ending: string): Uint8Array {
  const bytes = pillowFile(draw.pick(pillowNames().filter((name) => name.endsWith(ending))));
  const view = new DataView(bytes.buffer);
  // Where sizes, tables and the beginnings of scans are.
  for (let times = draw.chance(0.5) ? draw.between(1, 3) : 0; times > 0; times--)
    view.setUint16(
      draw.below(Math.min(700, bytes.length - 2)),
      draw.pick([0, 1, 8, 255, 256, 3000, 65_535, draw.below(65_536)]),
    );
  return draw.damaged(bytes, 0.4);
}

const picture = (name: string, factor: number, file: (draw: Draw) => Uint8Array): FuzzedParser => ({
  name,
  factor,
  slow: name !== "PNG",
  make(draw) {
    const bytes = file(draw);
    return {
      size: bytes.length,
      async run() {
        const fault = pictureFault(bytes);
        const { width, height, channels, data } = await decodePicture(bytes, "x");
        expect(fault === undefined, `pixels of a file of which is said: ${fault}`);
        expect(data.length === channels * height * width && data.length > 0, "pixels of another shape");
      },
    };
  },
});

const pictures: FuzzedParser = {
  name: "pictures folder",
  slow: true,
  // The batch has two samples, of one picture where there is no other.
  factor: 16 * INFLATION,
  make(draw) {
    const files = ["a.png", "b.jpg", "c.PNG"].slice(0, draw.between(1, 3));
    const one = () => (draw.chance(0.7) ? pngFile(draw) : pillowLike(draw, draw.pick([".png", ".jpg", "lossy.webp"])));
    const contents = Object.fromEntries(files.map((name) => [name, one()]));
    const size = draw.chance(0.5) ? [] : [draw.between(1, 9), draw.between(1, 9)];
    const options = {
      size,
      skipBad: draw.chance(0.5),
      flip: draw.chance(0.3),
      fit: draw.pick(["crop", "stretch"] as const),
    };
    return { size: sizeOf(contents), run: () => use(picturesDataset(options), contents) };
  },
};

export const pictureParsers: readonly FuzzedParser[] = [
  // The rows, and eight bytes for each of them.
  picture("PNG", 9 * INFLATION, pngFile),
  picture("PNG of Pillow", 9 * INFLATION, (draw) => pillowLike(draw, ".png")),
  // RGBA and RGB of at most 512 and 640 pixels a byte.
  picture("JPEG", 7 * 512, (draw) => pillowLike(draw, ".jpg")),
  // Without loss, one colour takes no bits.
  picture("WebP", 7 * 2 ** 18, (draw) => pillowLike(draw, ".webp")),
  pictures,
];
