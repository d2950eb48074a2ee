/** What the frame header of a JPEG file says. ITU-T T.81, B.2.2. */
export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 3 colour, 4 CMYK. */
  readonly components: number;
  /** Bits of a sample. */
  readonly precision: number;
  /** Of the coding process: 0 baseline, 1 and 2 (progressive) are read by all programs. */
  readonly process: number;
}

const [SOI, EOI, SOS, TEM] = [0xd8, 0xd9, 0xda, 0x01];
/** Start of frame: 0xC0 and so on, but for three markers of other kinds. */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
const isRestart = (marker: number) => marker >= 0xd0 && marker <= 0xd7;

/** A marker and its segment, if it has one: `begin` and `end` are those of its content. */
export interface JpegSegment {
  readonly marker: number;
  readonly begin: number;
  readonly end: number;
}

export const isJpeg = (bytes: Uint8Array): boolean => bytes[0] === 0xff && bytes[1] === SOI && bytes[2] === 0xff;

/** The segments of a JPEG file, up to its end of image; fewer of a file that is cut short. Entropy-coded data are passed over. */
export function* jpegSegments(bytes: Uint8Array): Generator<JpegSegment> {
  let at = 2;
  for (;;) {
    at = bytes.indexOf(0xff, at);
    // Markers may be filled up with 0xFF.
    while (at >= 0 && bytes[at + 1] === 0xff) at++;
    if (at < 0 || at + 1 >= bytes.length) return;
    const marker = bytes[at + 1];
    at += 2;
    // 0xFF of the data is followed by a zero.
    if (marker === 0 || marker === TEM || marker === SOI || isRestart(marker)) continue;
    if (marker === EOI) {
      yield { marker, begin: at, end: at };
      return;
    }
    if (at + 2 > bytes.length) return;
    const end = at + bytes[at] * 256 + bytes[at + 1];
    if (end > bytes.length || end < at + 2) return;
    yield { marker, begin: at + 2, end };
    at = end;
  }
}

/** The frame header of a JPEG file; undefined when there is none in these bytes. */
export function jpegHeader(bytes: Uint8Array): JpegHeader | undefined {
  if (!isJpeg(bytes)) return undefined;
  for (const { marker, begin, end } of jpegSegments(bytes)) {
    if (marker === SOS) return undefined;
    if (!isFrame(marker)) continue;
    if (end - begin < 6) return undefined;
    const [precision, top, below, left, right, components] = bytes.subarray(begin, begin + 6);
    return { width: left * 256 + right, height: top * 256 + below, components, precision, process: marker - 0xc0 };
  }
  return undefined;
}

/** Why a JPEG file with such a header is not read. */
export function jpegHeaderFault({ components, precision, process }: JpegHeader): string | undefined {
  if (components === 4) return "it is a CMYK JPEG, should be grey or RGB";
  if (components !== 1 && components !== 3) return `it is a JPEG of ${components} components, should be grey or RGB`;
  if (process > 2)
    return `it is ${process > 8 ? "an arithmetic" : "a lossless or hierarchical"} JPEG, should be baseline or progressive`;
  if (precision !== 8) return `it is a JPEG of ${precision} bits per sample, should be of 8`;
  return undefined;
}

/**
 * The most pixels that a byte of a file stands for: at least one bit of Huffman code for each block of 8 × 8. Blocks of the
 * largest component cover the picture once.
 */
export const MOST_JPEG_PIXELS = 512;

/** What is wrong with the segments of a JPEG file, without decoding it: cut short, no picture data, two pictures. */
export function jpegFault(bytes: Uint8Array): string | undefined {
  let [frames, scans, ended] = [0, 0, false];
  for (const { marker } of jpegSegments(bytes)) {
    if (isFrame(marker)) frames++;
    if (marker === SOS) scans++;
    if (marker === EOI) ended = true;
  }
  if (!ended) return `it is cut short at byte ${bytes.length}`;
  if (scans === 0) return "it has no picture data";
  return frames === 1 ? undefined : `it has ${frames} frame headers, should have one`;
}
