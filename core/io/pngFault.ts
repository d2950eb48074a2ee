import { crc32 } from "./crc32.ts";

const [IDAT, IEND] = [0x49444154, 0x49454e44];
/** The signature, which `pngHeader` looks at. */
const FIRST_CHUNK = 8;

/**
 * What is wrong with the chunks of a PNG file, without unpacking its picture: a chunk that ends after the file, a checksum that
 * is not that of its chunk, no picture data, no end. Undefined for a sound file. W3C PNG, third edition, section 5.
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
    if (name === IEND) return data > 0 ? undefined : "it has no picture data";
    at = end + 4;
  }
  return `it is cut short at byte ${bytes.length}`;
}
