/** PNG files made chunk by chunk, also such as no encoder writes. */
import { crc32 } from "../../core/io/crc32.ts";

/** A chunk: length, name, content, checksum. */
export function chunkOf(name: string, content: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(12 + content.length);
  new DataView(chunk.buffer).setUint32(0, content.length);
  chunk.set(new TextEncoder().encode(name), 4);
  chunk.set(content, 8);
  new DataView(chunk.buffer).setUint32(8 + content.length, crc32(chunk.subarray(4, 8 + content.length)));
  return chunk;
}

/** A file of these chunks after its header. */
export function pngOf(
  header: { width: number; height: number; colour: number; depth?: number; interlace?: number },
  ...chunks: Uint8Array[]
): Uint8Array {
  const { width, height, colour, depth = 8, interlace = 0 } = header;
  const ihdr = new Uint8Array(13);
  const view = new DataView(ihdr.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  ihdr.set([depth, colour, 0, 0, interlace], 8);
  const signature = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
  const parts = [signature, chunkOf("IHDR", ihdr), ...chunks, chunkOf("IEND", new Uint8Array(0))];
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
