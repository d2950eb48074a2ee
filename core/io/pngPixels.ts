/** PNG files of one size, 8 bits per channel, not interlaced; the caller checks that with `pngHeader`. */
export interface PngFiles {
  readonly files: readonly Uint8Array[];
  /** C is 1 for grey and 3 for RGB. */
  readonly shape: readonly [C: number, H: number, W: number];
}

/** Pixels of PNG files as networks see them. */
export interface PngPixels {
  /** [B, C, H, W] in [-1, 1], u8/127.5 − 1; of no use where a file is broken. */
  readonly x: Float32Array;
  /** The first file whose picture data are damaged or incomplete; -1 when all are sound. */
  readonly broken: number;
}

/**
 * Decodes PNG files (W3C PNG, third edition). A `Portable`: it uses nothing from outside itself, and unpacks with the
 * runtime's own `DecompressionStream`, which also holds the data to their checksum.
 */
export async function pngPixels({ files, shape: [C, H, W] }: PngFiles): Promise<PngPixels> {
  const [IDAT, IEND] = [0x49444154, 0x49454e44];
  /** The most bytes that a byte of deflated data stands for: two bits are a match of 258. RFC 1951, section 3.2.5. */
  const INFLATION = 1032;
  /** A row is a byte that names its filter, then its pixels. */
  const stride = 1 + W * C;

  /** The IDAT chunks of a file; none when it is cut short, which not every runtime's unpacking notices. */
  function pictureData(file: Uint8Array): Uint8Array<ArrayBuffer>[] {
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (let at = 8; at + 12 <= file.length; ) {
      const [length, name] = [view.getUint32(at), view.getUint32(at + 4)];
      if (name === IEND) return parts;
      if (name === IDAT) parts.push(file.slice(at + 8, at + 8 + length));
      at += 12 + length;
    }
    return [];
  }

  /** Adler-32, as the last four bytes of a zlib stream say it. RFC 1950, section 9. */
  function adler32(rows: Uint8Array): number {
    let [a, b] = [1, 0];
    for (let at = 0; at < rows.length; ) {
      // So many that b stays below 2³².
      const end = Math.min(at + 5552, rows.length);
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

  /** Whether data can stand for rows of this size; if not, nothing is allocated for them. */
  const canFill = (parts: readonly Uint8Array[]) =>
    H * stride <= INFLATION * parts.reduce((sum, { length }) => sum + length, 0);

  /** The rows of a picture; undefined when they are damaged, or not as many as they should be. */
  async function unpack(parts: readonly Uint8Array<ArrayBuffer>[]): Promise<Uint8Array | undefined> {
    const { readable, writable } = new DecompressionStream("deflate");
    const writer = writable.getWriter();
    // Errors of the stream are seen where it is read.
    const ignore = () => {};
    for (const part of parts) writer.write(part).catch(ignore);
    writer.close().catch(ignore);
    const reader = readable.getReader();
    const rows = new Uint8Array(H * stride);
    let length = 0;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        // Not every runtime notices what stands behind the stream.
        if (done) return length === rows.length && adler32(rows) === ending(parts) ? rows : undefined;
        // A file that unpacks to more than its picture throws here, and is not unpacked to its end.
        rows.set(value, length);
        length += value.length;
      }
    } catch {
      reader.cancel().catch(ignore);
      return undefined;
    }
  }

  /** Adds to every byte its filter's prediction from the bytes to the left (a), above (b) and above left (c). */
  function unfilter(rows: Uint8Array): boolean {
    for (let y = 0; y < H; y++) {
      const row = rows.subarray(y * stride + 1, (y + 1) * stride);
      const above = y > 0 ? rows.subarray((y - 1) * stride + 1, y * stride) : new Uint8Array(W * C);
      const filter = rows[y * stride];
      if (filter > 4) return false;
      for (let i = 0; i < row.length && filter > 0; i++) {
        const a = i < C ? 0 : row[i - C];
        const b = above[i];
        if (filter === 1) row[i] += a;
        else if (filter === 2) row[i] += b;
        else if (filter === 3) row[i] += (a + b) >> 1;
        else {
          const c = i < C ? 0 : above[i - C];
          // How far a + b − c is from each of them.
          const toA = Math.abs(b - c);
          const toB = Math.abs(a - c);
          const toC = Math.abs(a + b - 2 * c);
          row[i] += toA <= toB && toA <= toC ? a : toB <= toC ? b : c;
        }
      }
    }
    return true;
  }

  const data = files.map(pictureData);
  const tooLarge = data.findIndex((parts) => !canFill(parts));
  if (tooLarge >= 0) return { x: new Float32Array(0), broken: tooLarge };
  const x = new Float32Array(files.length * C * H * W);
  for (let n = 0; n < files.length; n++) {
    const rows = await unpack(data[n]);
    if (!rows || !unfilter(rows)) return { x, broken: n };
    let at = n * C * H * W;
    for (let c = 0; c < C; c++)
      for (let y = 0; y < H; y++)
        for (let i = y * stride + 1 + c; i < (y + 1) * stride; i += C) x[at++] = rows[i] / 127.5 - 1;
  }
  return { x, broken: -1 };
}
