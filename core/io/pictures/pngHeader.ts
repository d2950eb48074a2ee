/** What the header of a PNG file says. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Bits per channel: 1, 2, 4, 8 or 16. */
  readonly depth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha. */
  readonly colour: number;
  readonly interlaced: boolean;
}

/** The eight bytes that begin a PNG file, and the length and the name of its first chunk. */
const BEGINNING = [137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82];
const HEADER_BYTES = 33;

/** The header of a PNG file; undefined when the bytes do not begin as one does. */
export function pngHeader(bytes: Uint8Array): PngHeader | undefined {
  if (bytes.length < HEADER_BYTES || BEGINNING.some((byte, i) => bytes[i] !== byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    width: view.getUint32(16),
    height: view.getUint32(20),
    depth: bytes[24],
    colour: bytes[25],
    interlaced: bytes[28] !== 0,
  };
}

/** By type of colour: its name, the channels of a pixel, and the depths that it may have. W3C PNG, table 11.1. */
const COLOURS: Readonly<Record<number, { name: string; channels: number; depths: readonly number[] }>> = {
  0: { name: "grey", channels: 1, depths: [1, 2, 4, 8, 16] },
  2: { name: "RGB", channels: 3, depths: [8, 16] },
  3: { name: "palette", channels: 1, depths: [1, 2, 4, 8] },
  4: { name: "grey with alpha", channels: 2, depths: [8, 16] },
  6: { name: "RGB with alpha", channels: 4, depths: [8, 16] },
};

/** Channels of a stored pixel; 0 for a type of colour that there is not. */
export const pngChannels = ({ colour }: PngHeader): number => COLOURS[colour]?.channels ?? 0;

/** Why no PNG file can have such a header. */
export function pngHeaderFault(header: PngHeader): string | undefined {
  const { width, height, depth, colour } = header;
  if (width === 0 || height === 0 || width > 2 ** 31 - 1 || height > 2 ** 31 - 1)
    return `its header says ${width} x ${height} pixels`;
  const known = COLOURS[colour];
  if (!known) return `its header names the type of colour ${colour}, which there is not`;
  return known.depths.includes(depth) ? undefined : `its header says ${known.name} with ${depth} bits per channel`;
}

/** A picture that is made of every so many columns and rows of the whole, and is stored by itself. */
export interface PngPass {
  /** Where its first pixel is in the whole. */
  readonly left: number;
  readonly top: number;
  /** How far apart its columns and rows are there. */
  readonly across: number;
  readonly down: number;
  readonly width: number;
  readonly height: number;
  /** Bytes of a row, without the one that names its filter. */
  readonly rowBytes: number;
}

/** Adam7: left, top, across, down of each pass. W3C PNG, section 8. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** The passes that the data of a picture hold, those of no pixel left out. */
export function pngPasses(header: PngHeader): PngPass[] {
  const { width, height, depth, interlaced } = header;
  const bits = depth * pngChannels(header);
  const passes = (interlaced ? ADAM7 : [[0, 0, 1, 1] as const]).map(([left, top, across, down]) => {
    const [w, h] = [Math.ceil((width - left) / across), Math.ceil((height - top) / down)];
    return { left, top, across, down, width: w, height: h, rowBytes: Math.ceil((w * bits) / 8) };
  });
  return passes.filter((pass) => pass.width > 0 && pass.height > 0);
}

/** Bytes that the picture data unpack to. */
export const pngDataBytes = (header: PngHeader): number =>
  pngPasses(header).reduce((sum, { height, rowBytes }) => sum + height * (1 + rowBytes), 0);

/** The most bytes that a byte of deflated data stands for: two bits are a match of 258. RFC 1951, section 3.2.5. */
export const INFLATION = 1032;
