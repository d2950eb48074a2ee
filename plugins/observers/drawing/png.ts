/** The one door of `fast-png`: chosen because it is lossless, writes grey and RGB as they are, and runs in browsers. */
import { encode } from "fast-png";
import { failure } from "../../../core/errors.ts";
import { crc32 } from "../../../core/io/mod.ts";
import type { Picture } from "./picture.ts";

/**
 * A picture → the bytes of a PNG file. Throws E_SHAPE when its data do not fit its size.
 * @param texts stored in it under these keywords of 1 to 79 Latin letters, as chunks iTXt
 */
export function encodePng(
  { width, height, channels, data }: Picture,
  texts: Readonly<Record<string, string>> = {},
): Uint8Array {
  if (!(width > 0 && height > 0) || data.length !== width * height * channels)
    throw failure(
      "E_SHAPE",
      `Cannot encode a picture of ${width} x ${height} x ${channels}: it has ${data.length} bytes, should have width x height x channels and at least one pixel`,
    );
  const png = encode({ width, height, channels, data });
  const chunks = Object.entries(texts).map(([keyword, text]) => textChunk(keyword, text));
  return chunks.length === 0 ? png : joined([png.subarray(0, HEADER), ...chunks, png.subarray(HEADER)]);
}

/** Bytes before the second chunk: the signature, and the chunk IHDR of 13 bytes. */
const HEADER = 8 + 4 + 4 + 13 + 4;

/** A chunk iTXt: international text, in UTF-8 and not compressed, without language and translated keyword. */
function textChunk(keyword: string, text: string): Uint8Array {
  const utf8 = new TextEncoder();
  const body = joined([utf8.encode(`iTXt${keyword}`), Uint8Array.of(0, 0, 0, 0, 0), utf8.encode(text)]);
  const chunk = new Uint8Array(body.length + 8);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, body.length - 4);
  chunk.set(body, 4);
  view.setUint32(chunk.length - 4, crc32(body));
  return chunk;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
