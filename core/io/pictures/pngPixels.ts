import type { Picture } from "../../pixels/picture.ts";
import { inflate } from "../inflate.ts";
import { IDAT, IEND, PLTE, pngChunks } from "./pngFault.ts";
import { unfilter } from "./pngFilters.ts";
import {
  INFLATION,
  type PngPass,
  pngChannels,
  pngDataBytes,
  pngHeader,
  pngHeaderFault,
  pngPasses,
} from "./pngHeader.ts";

/**
 * The pixels of a PNG file of any kind, as Pillow's `convert` to "L" or "RGB" gives them: alpha and transparent colours are
 * left out, depths below 8 bits spread over 0 to 255, of 16 bits the upper 8 are taken. (Pillow clips grey of 16 bits at 255, so
 * that nearly all is white; here it is as in every other kind.) Grey has one channel, everything else three. It
 * unpacks with the runtime's own `DecompressionStream`. Undefined where the picture data are damaged or incomplete.
 */
export async function pngPixels(bytes: Uint8Array): Promise<Picture<Uint8Array> | undefined> {
  const header = pngHeader(bytes);
  if (!header || pngHeaderFault(header)) return undefined;
  const parts: Uint8Array[] = [];
  let [palette, isWhole] = [undefined as Uint8Array | undefined, false];
  for (const { name, begin, end } of pngChunks(bytes)) {
    if (name === IDAT) parts.push(bytes.subarray(begin, end));
    if (name === PLTE) palette = bytes.subarray(begin, end);
    if (name === IEND) isWhole = true;
  }
  const length = pngDataBytes(header);
  // Nothing is allocated for more than the data can stand for.
  if (!isWhole || length > INFLATION * parts.reduce((sum, part) => sum + part.length, 0)) return undefined;
  const rows = await inflate("deflate", parts, length);
  // Not every runtime notices what stands behind the stream.
  if (!rows || adler32(rows) !== ending(parts)) return undefined;
  const { width, height, depth, colour } = header;
  const bits = depth * pngChannels(header);
  const channels = colour === 0 || colour === 4 ? 1 : 3;
  const data = new Uint8Array(width * height * channels);
  let at = 0;
  for (const pass of pngPasses(header)) {
    const end = at + pass.height * (1 + pass.rowBytes);
    const own = rows.subarray(at, end);
    if (!unfilter(own, pass.rowBytes, Math.max(1, bits >> 3))) return undefined;
    const place = (y: number) => ((pass.top + y * pass.down) * width + pass.left) * channels;
    const step = pass.across * channels;
    if (depth < 8 || colour === 3) {
      if (!spread(own, pass, data, { depth, palette: colour === 3 ? palette : grey(depth), channels, place, step }))
        return undefined;
    } else gather(own, pass, data, { pixel: bits >> 3, sample: depth >> 3, channels, place, step });
    at = end;
  }
  return { width, height, channels, data };
}

/** Where the pixels of a pass go: the first of row y, and how far the next is. */
interface Placing {
  readonly channels: number;
  readonly place: (y: number) => number;
  readonly step: number;
}

/** Pixels of whole bytes. Of 16 bits the first byte is the upper one; alpha stands behind the channels that are taken. */
function gather(
  rows: Uint8Array,
  { width, height, rowBytes }: PngPass,
  data: Uint8Array,
  { pixel, sample, channels, place, step }: Placing & { readonly pixel: number; readonly sample: number },
): void {
  for (let y = 0; y < height; y++) {
    let [from, to] = [y * (1 + rowBytes) + 1, place(y)];
    if (pixel === channels && step === channels) {
      data.set(rows.subarray(from, from + rowBytes), to);
      continue;
    }
    for (let x = 0; x < width; x++, from += pixel, to += step)
      for (let c = 0; c < channels; c++) data[to + c] = rows[from + c * sample];
  }
}

/** The grey levels of fewer than 8 bits, as a palette of one channel. */
const grey = (depth: number): Uint8Array => {
  const most = 2 ** depth - 1;
  return Uint8Array.from({ length: most + 1 }, (_, i) => (i * 255) / most);
};

/** Pixels that are places in a table, several to a byte. False where there is no table, or it has no such place. */
function spread(
  rows: Uint8Array,
  { width, height, rowBytes }: PngPass,
  data: Uint8Array,
  { depth, palette, channels, place, step }: Placing & { readonly depth: number; readonly palette?: Uint8Array },
): boolean {
  if (!palette || palette.length % channels !== 0) return false;
  const [most, last] = [2 ** depth - 1, palette.length / channels - 1];
  for (let y = 0; y < height; y++) {
    const from = y * (1 + rowBytes) + 1;
    for (let x = 0, to = place(y); x < width; x++, to += step) {
      const bit = x * depth;
      const index = (rows[from + (bit >> 3)] >> (8 - depth - (bit & 7))) & most;
      if (index > last) return false;
      for (let c = 0; c < channels; c++) data[to + c] = palette[index * channels + c];
    }
  }
  return true;
}

/** Adler-32, as the last four bytes of a zlib stream say it. RFC 1950, section 9. */
function adler32(rows: Uint8Array): number {
  let [a, b] = [1, 0];
  for (let at = 0; at < rows.length; ) {
    // So few that b stays below 2³⁰, which engines keep without a place on the heap.
    const end = Math.min(at + 2000, rows.length);
    for (; at < end; at++) {
      a += rows[at];
      b += a;
    }
    [a, b] = [a % 65521, b % 65521];
  }
  return b * 65536 + a;
}

/** Four bytes at the end of all parts. */
const ending = (parts: readonly Uint8Array[]) =>
  parts
    .flatMap((part) => [...part.subarray(-4)])
    .slice(-4)
    .reduce((word, byte) => word * 256 + byte, 0);
