/** PNG files, read and looked at before anything is trained on them. */
import { failure } from "../../../core/errors.ts";
import { type FileSystem, pngFault, pngHeader } from "../../../core/io/mod.ts";
import type { PictureFile } from "./pictureFolder.ts";
import { type Skipped, unusable } from "./skipped.ts";

/** Channels by a PNG file's colour type, of those that are read. */
const CHANNELS: Readonly<Record<number, 1 | 3>> = { 0: 1, 2: 3 };
const COLOURS: Readonly<Record<number, string>> = {
  0: "grey",
  2: "RGB",
  3: "a palette",
  4: "grey with alpha",
  6: "RGB with alpha",
};

/** A picture as it is stored. */
export interface Picture extends PictureFile {
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
}

/** How pictures are read. */
export interface PictureReading {
  /** Height and width of what is taken of each; all of it when empty. */
  readonly crop: readonly number[];
  /** Whether bad files are left out. */
  readonly skipBad: boolean;
  readonly progress?: (done: number, total: number) => void;
}

/** Pictures of one shape. */
export interface ReadPictures {
  readonly pictures: readonly Picture[];
  /** Of a sample. */
  readonly shape: readonly [C: number, H: number, W: number];
  readonly skipped: readonly Skipped[];
}

/** Files on their way at a time: more gain nothing, and systems allow a program only so many. */
const TOGETHER = 8;

/**
 * Reads all files and holds each to its checksums; then all of them to one size and one number of channels.
 * @throws E_DATA that names the first bad file, how many there are, and what cures it; E_FILE
 */
export async function readPictures(
  files: FileSystem,
  found: readonly PictureFile[],
  { crop, skipBad, progress }: PictureReading,
): Promise<ReadPictures> {
  checkCrop("pictures", crop);
  const read = new Array<Picture | Skipped>(found.length);
  let [next, done] = [0, 0];
  const reader = async () => {
    while (next < found.length) {
      const place = next++;
      read[place] = pictureOf(found[place], await files.read(found[place].path));
      progress?.(++done, found.length);
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, reader));
  const bad = read.filter((each): each is Skipped => "why" in each);
  const whole = read.filter((each): each is Picture => "bytes" in each);
  const { shape, unlike } = commonShape(whole, crop);
  const skipped = [...bad, ...unlike.map(({ path, why }) => ({ path, why }))];
  if (skipped.length > 0 && (!skipBad || !shape)) throw unusable(skipped, found.length, cureOf(skipped, unlike));
  const left = new Set(unlike.map(({ path }) => path));
  return { pictures: whole.filter(({ path }) => !left.has(path)), shape: shape!, skipped };
}

/** Throws E_OPTION for a crop that is neither empty nor a height and a width. */
export function checkCrop(name: string, crop: readonly number[]): void {
  if (crop.length !== 0 && crop.length !== 2)
    throw failure(
      "E_OPTION",
      `Cannot configure ${name}: crop is [${crop.join(", ")}], should be a height and a width, such as [64, 48]`,
    );
}

/** A file as a picture, or why it is none. */
export function pictureOf({ path, label }: PictureFile, stored: Uint8Array): Picture | Skipped {
  const header = pngHeader(stored);
  if (!header || header.width === 0 || header.height === 0) return { path, why: "it is no PNG file, should be one" };
  const { width, height, depth, colour, interlaced } = header;
  const fault = pngFault(stored);
  if (fault) return { path, why: `${fault}, should be a whole PNG file` };
  const channels = CHANNELS[colour];
  if (!channels || depth !== 8 || interlaced)
    return {
      path,
      why: `it is ${COLOURS[colour] ?? `of colour type ${colour}`}, ${depth} bits per channel${interlaced ? ", interlaced" : ""}, should be grey or RGB without alpha, 8 bits, not interlaced`,
    };
  // A worker is sent all of the buffer that a view belongs to.
  const isWhole = stored.byteLength === stored.buffer.byteLength;
  return { path, label, bytes: isWhole ? stored : stored.slice(), width, height, channels };
}

/** A picture that does not go with most others, and which option would take it. */
export interface Unlike extends Skipped {
  readonly cure: string;
}

/** What is known of a picture without its bytes. */
type Sized = Pick<Picture, "path" | "width" | "height" | "channels">;

/** The shape that most pictures have, or may be cropped to, and the pictures of another. */
export function commonShape(pictures: readonly Sized[], crop: readonly number[]) {
  const channels = mostCommon(pictures.map((each) => each.channels));
  const ofColour = pictures.filter((each) => each.channels === channels);
  const size = mostCommon(ofColour.map(({ width, height }) => `${width} x ${height}`));
  if (channels === undefined || size === undefined) return { shape: undefined, unlike: [] };
  const [width, height] = size.split(" x ").map(Number);
  const [H, W] = crop.length === 2 ? crop : [height, width];
  const least = [leastOf(ofColour.map((each) => each.height)), leastOf(ofColour.map((each) => each.width))];
  const unlike: Unlike[] = [];
  for (const each of pictures) {
    const { path } = each;
    if (each.channels !== channels)
      unlike.push({
        path,
        why: `it is ${each.channels === 1 ? "grey" : "RGB"}, most others are ${channels === 1 ? "grey" : "RGB"}`,
        cure: "save all pictures as RGB, or all as grey",
      });
    else if (crop.length === 2 ? each.height < H || each.width < W : each.height !== H || each.width !== W)
      unlike.push({
        path,
        why: `it is ${each.width} x ${each.height}, ${crop.length === 2 ? `should be at least ${W} x ${H} as crop says` : `most others are ${size}`}`,
        cure: `take the middle of each with --set dataset.crop=[${least.join(",")}] (height, width)`,
      });
  }
  return { shape: [channels, H, W] as const, unlike };
}

const leastOf = (sizes: readonly number[]): number => sizes.reduce((least, each) => Math.min(least, each));

function mostCommon<T>(values: readonly T[]): T | undefined {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

/** What cures the first of the bad files. */
export function cureOf([first]: readonly Skipped[], unlike: readonly Unlike[]): string {
  const { cure } = unlike.find(({ path }) => path === first.path) ?? {};
  const save =
    cure ??
    (/should be grey/.test(first.why) ? "save them as grey or RGB with 8 bits" : "write or download the file again");
  return `${save}; or leave such files out with --set dataset.skipBad=true`;
}
