import { crc32 } from "./crc32.ts";

const [IDAT, IEND] = [0x49444154, 0x49454e44];
/** The signature, which `pngHeader` looks at. */
const FIRST_CHUNK = 8;

/** The most bytes that a byte of deflated data stands for. RFC 1951, section 3.2.5. */
const INFLATION = 1032;
/** By type of colour: grey, RGB, palette, grey with alpha, RGB with alpha. */
const CHANNELS: readonly number[] = [1, 0, 3, 1, 2, 0, 4];

/** Bytes of the rows that a header claims. */
function rowBytes(view: DataView): number {
  if (view.byteLength < 26) return 0;
  const bits = view.getUint32(16) * view.getUint8(24) * (CHANNELS[view.getUint8(25)] ?? 0);
  return view.getUint32(20) * (1 + Math.ceil(bits / 8));
}

/**
 * What is wrong with the chunks of a PNG file, without unpacking its picture: a chunk that ends after the file, a checksum that
 * is not that of its chunk, no picture data, fewer than its size needs, no end. Undefined for a sound file. W3C PNG, third edition, section 5.
 */
export function pngFault(bytes: Uint8Array): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let data = 0;
  for (let at = FIRST_CHUNK; at + 12 <= bytes.length; ) {
    const [length, name] = [view.getUint32(at), view.getUint32(at + 4)];
    const end = at + 8 + length;
    if (end + 4 > bytes.length) break;
    if (view.getUint32(end) !== crc32(bytes.subarray(at + 4, end)))
      return `the checksum of its chunk at byte ${at} is wrong`;
    if (name === IDAT) data += length;
    if (name === IEND) {
      if (data === 0) return "it has no picture data";
      return rowBytes(view) > INFLATION * data ? "its picture data are too few for its width and height" : undefined;
    }
    at = end + 4;
  }
  return `it is cut short at byte ${bytes.length}`;
}
