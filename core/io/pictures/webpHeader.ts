/** What the beginning of a WebP file says. RFC 9649. */
export interface WebpHeader {
  readonly width: number;
  readonly height: number;
  readonly lossless: boolean;
  readonly animated: boolean;
}

const text = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const isWebp = (bytes: Uint8Array): boolean => text(bytes, 0) === "RIFF" && text(bytes, 8) === "WEBP";

/** A chunk: its name, and where its content lies, which may be cut short. */
interface WebpChunk {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
}

/** The chunks of a WebP file. */
function* webpChunks(bytes: Uint8Array): Generator<WebpChunk> {
  const view = viewOf(bytes);
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true);
    yield { name: text(bytes, at), begin: at + 8, end: at + 8 + size };
    at += 8 + size + (size & 1);
  }
}

/** The header of a WebP file: of the picture that it holds, or of the canvas; undefined when these bytes have none. */
export function webpHeader(bytes: Uint8Array): WebpHeader | undefined {
  if (!isWebp(bytes)) return undefined;
  const view = viewOf(bytes);
  let canvas: WebpHeader | undefined;
  for (const { name, begin } of webpChunks(bytes)) {
    if (begin + 10 > bytes.length) break;
    if (name === "VP8X") {
      const three = (at: number) => view.getUint16(at, true) + 65536 * view.getUint8(at + 2);
      const [width, height] = [1 + three(begin + 4), 1 + three(begin + 7)];
      canvas = { width, height, lossless: false, animated: (view.getUint8(begin) & 2) !== 0 };
      if (canvas.animated) return canvas;
    }
    // A key frame: 3 bytes, then 9D 01 2A, then 14 bits of width and of height, each under 2 bits of scale.
    if (name === "VP8 ") {
      if (view.getUint8(begin) & 1 || view.getUint16(begin + 3) !== 0x9d01 || view.getUint8(begin + 5) !== 0x2a) break;
      const [width, height] = [6, 8].map((offset) => view.getUint16(begin + offset, true) & 0x3fff);
      return { width, height, lossless: false, animated: false };
    }
    // 2F, then 14 bits of width − 1 and of height − 1.
    if (name === "VP8L") {
      if (view.getUint8(begin) !== 0x2f) break;
      const bits = view.getUint32(begin + 1, true);
      return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff), lossless: true, animated: false };
    }
  }
  return canvas;
}

/** Why a WebP file with such a header is not read. */
export const webpHeaderFault = ({ animated }: WebpHeader): string | undefined =>
  animated ? "it is an animated WebP, should be a single picture" : undefined;

/**
 * The most pixels that a byte of a file with loss stands for: the modes of a macroblock of 16 × 16 take at least 3.2 bits, by
 * the fixed probabilities of key frames (RFC 6386, section 11). Files without loss have no such bound: one colour takes no bits.
 */
export const MOST_WEBP_PIXELS = 640;

/** What is wrong with the chunks of a WebP file, without decoding it: cut short, no picture. */
export function webpFault(bytes: Uint8Array): string | undefined {
  // The size that the file claims counts from its ninth byte.
  const cut = `it is cut short at byte ${bytes.length}`;
  if (bytes.length < 12 || viewOf(bytes).getUint32(4, true) + 8 > bytes.length) return cut;
  for (const { name, end } of webpChunks(bytes)) {
    if (name !== "VP8 " && name !== "VP8L") continue;
    return end > bytes.length ? cut : undefined;
  }
  return "it has no picture data";
}
