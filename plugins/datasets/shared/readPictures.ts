/** Picture files, read and looked at before anything is trained on them. */
import {
  type FileSystem,
  type Framing,
  type PictureHeader,
  pictureFault,
  pictureHeader,
} from "../../../core/io/mod.ts";
import type { PictureFile } from "./pictureFolder.ts";
import { commonShape, cureOf, type PictureShape } from "./pictureFraming.ts";
import { type Skipped, unusable } from "./skipped.ts";
import { together } from "./together.ts";

/** A picture as it is stored. */
export interface StoredPicture extends PictureFile, PictureHeader {
  /** The whole file; read again when it is needed, where all files together are too large for memory. */
  readonly bytes?: Uint8Array;
}

/** How pictures are read. */
export interface PictureReading {
  readonly framing: Framing;
  /** Of a sample; without it 1 where all pictures are grey, else 3. */
  readonly channels?: 1 | 3;
  /** Whether bad files are left out. */
  readonly skipBad: boolean;
  readonly progress?: (done: number, total: number) => void;
}

/** Pictures that become one shape. */
export interface ReadPictures {
  readonly pictures: readonly StoredPicture[];
  /** Of a sample. */
  readonly shape: PictureShape;
  readonly skipped: readonly Skipped[];
}

/** Bytes of files that are kept in memory. */
const KEPT = 2 ** 30;

/**
 * Reads all files and holds each to its structure and checksums, without decoding it; then all of them to one size, unless the
 * framing gives them one.
 * @throws E_DATA that names the first bad file, how many there are, and what cures it; E_FILE
 */
export async function readPictures(
  files: FileSystem,
  found: readonly PictureFile[],
  { framing, channels, skipBad, progress }: PictureReading,
): Promise<ReadPictures> {
  const read = new Array<StoredPicture | Skipped>(found.length);
  let [done, kept] = [0, 0];
  await together(found.length, async (place) => {
    const stored = await files.read(found[place].path);
    kept += stored.length;
    const picture = pictureOf(found[place], stored);
    read[place] = kept <= KEPT && "format" in picture ? { ...picture, bytes: wholeBuffer(stored) } : picture;
    progress?.(++done, found.length);
  });
  const bad = read.filter((each): each is Skipped => "why" in each);
  const whole = read.filter((each): each is StoredPicture => "format" in each);
  const { shape, unlike } = commonShape(whole, framing, channels);
  const skipped = [...bad, ...unlike.map(({ path, why }) => ({ path, why }))];
  if (skipped.length > 0 && (!skipBad || !shape)) throw unusable(skipped, found.length, cureOf(skipped, unlike));
  const left = new Set(unlike.map(({ path }) => path));
  return { pictures: whole.filter(({ path }) => !left.has(path)), shape: shape!, skipped };
}

/** A file as a picture, or why it is none. */
export function pictureOf({ path, label }: PictureFile, stored: Uint8Array): StoredPicture | Skipped {
  const header = pictureHeader(stored);
  if ("fault" in header) return { path, why: header.fault };
  const why = pictureFault(stored);
  return why === undefined ? { path, label, ...header } : { path, why };
}

/** Bytes in a buffer of their own: a worker is sent all of the buffer that a view belongs to. */
export const wholeBuffer = (bytes: Uint8Array): Uint8Array =>
  bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
