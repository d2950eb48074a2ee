import { crc32 } from "../crc32.ts";
import { INFLATION, pngDataBytes, pngHeader } from "./pngHeader.ts";

/** Names of chunks, as numbers. */
export const [IDAT, IEND, PLTE] = [0x49444154, 0x49454e44, 0x504c5445];
/** The signature, which `pngHeader` looks at. */
const FIRST_CHUNK = 8;

/** A chunk: its name, and where its content lies. */
export interface PngChunk {
  readonly name: number;
  readonly at: number;
  readonly begin: number;
  readonly end: number;
}

/** The chunks of a PNG file up to IEND; up to the cut in one that is cut short. */
export function* pngChunks(bytes: Uint8Array): Generator<PngChunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = FIRST_CHUNK; at + 12 <= bytes.length; ) {
    const [name, begin, end] = [view.getUint32(at + 4), at + 8, at + 8 + view.getUint32(at)];
    if (end + 4 > bytes.length) return;
    yield { name, at, begin, end };
    if (name === IEND) return;
    at = end + 4;
  }
}

/**
 * What is wrong with the chunks of a PNG file, without unpacking its picture: a chunk that ends after the file, a checksum that
 * is not that of its chunk, no picture data, fewer than its size needs, no end. Undefined for a sound file. W3C PNG, third edition, section 5.
 */
export function pngFault(bytes: Uint8Array): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = pngHeader(bytes);
  let data = 0;
  for (const { name, at, begin, end } of pngChunks(bytes)) {
    if (view.getUint32(end) !== crc32(bytes.subarray(at + 4, end)))
      return `the checksum of its chunk at byte ${at} is wrong`;
    if (name === IDAT) data += end - begin;
    if (name === IEND) {
      if (data === 0) return "it has no picture data";
      return header && pngDataBytes(header) > INFLATION * data
        ? "its picture data are too few for its width and height"
        : undefined;
    }
  }
  return `it is cut short at byte ${bytes.length}`;
}
