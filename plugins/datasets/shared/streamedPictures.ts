/** A dataset of pictures that stay where they are: a batch reads the bytes of its own. */
import { failure, OnestepError } from "../../../core/errors.ts";
import { classLabel, type DataFolder, type Dataset, type Offloaded } from "../../../core/interfaces/mod.ts";
import {
  type ByteSource,
  inWindows,
  type PngFiles,
  type PngPixels,
  pngPixels,
  type StoredFile,
  xxh32,
} from "../../../core/io/mod.ts";
import { parseJson } from "../../../core/json/mod.ts";
import { boolean, list, number } from "../../../core/plugin/mod.ts";
import { decoded } from "./decodePictures.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { divided } from "./holdOut.ts";
import type { PictureSet, PlacedPicture } from "./pictureSet.ts";
import { checkCrop, commonShape, cureOf, type Picture, pictureOf } from "./readPictures.ts";
import { chooseRows, labelled } from "./shards.ts";
import { reasonOf, type Skipped, some, unusable } from "./skipped.ts";

/** Options of every dataset whose pictures are read when they are needed. */
export const streamOptions = {
  crop: list(number({ min: 1, integer: true }), {
    default: [],
    about: "height and width of the middle that is taken of each picture; pictures are whole without it",
  }),
  holdOut: number({
    default: 0,
    min: 0,
    max: 0.5,
    about: "share of each class that is not trained on, for metrics to compare with",
  }),
  check: boolean({
    default: true,
    about: "reads all pictures once before the first step; without it a bad one ends the run when a batch has it",
  }),
  skipBad: boolean({
    default: false,
    about: "leaves out pictures that are damaged, unlike most others or without their label or caption, and names them",
  }),
  sigmaData: number({
    default: 0.5,
    above: 0,
    about: "standard deviation of the data as the preconditioning takes it",
  }),
};

/** Their values. */
export interface StreamSettings {
  readonly crop: readonly number[];
  readonly holdOut: number;
  readonly check: boolean;
  readonly skipBad: boolean;
  readonly sigmaData: number;
}

type Shape = readonly [C: number, H: number, W: number];

/** Files on their way at a time: more gain nothing, and systems allow a program only so many. */
const TOGETHER = 8;
/** Bytes that are asked of an archive at once while it is read from front to back. */
const WINDOW = 2 ** 20;

/**
 * The dataset of a set of pictures. Samples [C, H, W] in [-1, 1] (u8/127.5 − 1). In memory are names, places, labels and sizes;
 * pictures are decoded in a worker where there is one.
 * @throws E_DATA that names the first bad picture, how many there are, and what cures it; E_OPTION
 */
export async function streamedPictures(
  set: PictureSet,
  settings: StreamSettings,
  { offload, progress, found }: DataFolder,
): Promise<Dataset> {
  const { name, classes } = set;
  const { crop, check, skipBad, sigmaData } = settings;
  checkCrop(name, crop);
  if (skipBad && !check)
    throw failure("E_OPTION", `Cannot configure ${name}: skipBad needs check, which reads all pictures first`);
  const { shape, pictures, skipped } = await (check ? lookedAt(set, settings, progress) : unread(set, crop));
  const [train, held] = divided(pictures, settings.holdOut, shape);
  if (train.length === 0)
    throw failure("E_DATA", `Cannot load ${name} from ${set.from}: no pictures are left to train on`);
  const decoder: Offloaded<PngFiles, PngPixels> = offload?.(pngPixels) ?? { run: pngPixels, dispose: async () => {} };
  const take = async (taken: readonly PlacedPicture[]) => {
    const read = new Array<Picture>(taken.length);
    await together(taken.length, async (i) => {
      read[i] = await readPicture(taken[i], shape, crop);
    });
    return {
      x: await decoded(decoder, read, shape),
      condition: labelled(classes, () => Int32Array.from(taken, ({ label }) => label)),
    };
  };
  const [channels, H, W] = shape;
  const parts = [
    `${train.length + held.length} pictures, ${W} x ${H}, ${channels === 1 ? "grey" : "RGB"}, read when they are needed`,
    classes > 0 ? `${classes} ${classes === 1 ? "class" : "classes"}` : "no classes",
    ...(set.hasCaptions ? ["captions"] : []),
    ...(held.length > 0 ? [`${held.length} are held out to judge by`] : []),
    ...set.notes,
    ...(skipped.length > 0 ? [`${skipped.length} are left out: ${some(skipped.map(reasonOf))}`] : []),
  ];
  found?.(parts.join("; "));
  const rowsOf = (which: number | ArrayLike<number>, random: () => number) =>
    Array.from(chooseRows(name, which, train.length, random), (row) => train[row]);
  return {
    name,
    shape: { sample: shape, condition: classLabel(classes), sigmaData },
    size: train.length,
    choose: (count, random) => chooseRows(name, count, train.length, random),
    batch: async (which, random) => take(rowsOf(which, random)),
    ...(set.hasCaptions && {
      captions: async (which: ArrayLike<number>) => captionsOf(rowsOf(which, () => 0)),
    }),
    ...(held.length > 0 && { test: async () => ({ ...(await take(held)), count: held.length }) }),
    ...(check && {
      fingerprint: () => {
        const all = [...train, ...held];
        const sums = Uint32Array.from(all, ({ sum }) => sum);
        const labels = Int32Array.from(all, ({ label }) => label);
        return fingerprintOf(name, { shape, crop, held: held.length }, [sums, labels]);
      },
    }),
    dispose: () => decoder.dispose(),
  };
}

/** Captions of pictures, read where they are in files. Throws E_DATA for one that is no text. */
export const captionsOf = (pictures: readonly PlacedPicture[]): Promise<string[]> =>
  Promise.all(
    pictures.map(async ({ caption, path }) => {
      if (caption === undefined || typeof caption === "string") return caption ?? "";
      return textOf(caption, await caption.read(), path);
    }),
  );

/** The text of a file; of JSON its member `caption`. */
function textOf({ name }: StoredFile, bytes: Uint8Array, path: string): string {
  let text: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (name.endsWith(".json")) text = (parseJson(text as string) as { caption?: unknown } | null)?.caption;
  } catch {
    text = undefined;
  }
  if (typeof text !== "string")
    throw failure("E_DATA", `Cannot use the caption of ${path}: ${JSON.stringify(name)} is no text in UTF-8`, {
      fix: "write a text, or JSON with a member caption",
    });
  return text.trim();
}

/** Does `work` for 0 to `count` − 1, a few of them at a time. */
async function together(count: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(TOGETHER, count) }, worker));
}

/** A picture with its bytes; one that was not looked at before is held to the shape now. */
async function readPicture(picture: PlacedPicture, shape: Shape, crop: readonly number[]): Promise<Picture> {
  const { file, path, label, width, height, channels } = picture;
  const bytes = await file.read();
  if (width > 0) return { path, label, bytes: ofItsOwn(bytes), width, height, channels };
  const read = pictureOf({ path, label }, bytes);
  const [C, H, W] = shape;
  const fits = (each: Picture) =>
    each.channels === C &&
    (crop.length === 2 ? each.height >= H && each.width >= W : each.height === H && each.width === W);
  const why =
    "why" in read ? read.why : fits(read) ? undefined : `it is ${sizeOf(read)}, the first is ${sizeOf(shape)}`;
  if (why !== undefined || "why" in read)
    throw failure("E_DATA", `Cannot use ${path}: ${why}`, {
      fix: "leave out bad pictures with --set dataset.check=true --set dataset.skipBad=true",
    });
  return read;
}

const sizeOf = (of: Shape | Pick<Picture, "width" | "height" | "channels">): string => {
  const [C, H, W] = "width" in of ? [of.channels, of.height, of.width] : of;
  return `${W} x ${H}, ${C === 1 ? "grey" : "RGB"}`;
};

/** A worker is sent all of the buffer that a view belongs to. */
const ofItsOwn = (bytes: Uint8Array): Uint8Array =>
  bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();

interface Looked {
  readonly shape: Shape;
  readonly pictures: readonly PlacedPicture[];
  readonly skipped: readonly Skipped[];
}

/** The shape of the first picture, for all. */
async function unread(set: PictureSet, crop: readonly number[]): Promise<Looked> {
  const [first] = set.pictures;
  if (set.bad.length > 0 || !first)
    throw unusable(set.bad, set.pictures.length + set.bad.length, `${MEND}, or leave them out: ${SKIP}`);
  const read = pictureOf(first, await first.file.read());
  if ("why" in read) throw unusable([read], set.pictures.length, `${MEND}, or leave them out: ${SKIP}`);
  const [H, W] = crop.length === 2 ? crop : [read.height, read.width];
  if (read.height < H || read.width < W)
    throw unusable([{ path: read.path, why: `it is ${sizeOf(read)}, should be at least ${W} x ${H}` }], 1, "crop less");
  return { shape: [read.channels, H, W], pictures: set.pictures, skipped: [] };
}

const MEND = "write or download the file again";
const SKIP = "--set dataset.skipBad=true";

/** Reads all pictures once, archives from front to back, and holds them to their checksums and to one shape. */
async function lookedAt(
  { pictures, bad }: PictureSet,
  { crop, skipBad }: StreamSettings,
  progress: DataFolder["progress"],
): Promise<Looked> {
  const faults = new Map<PlacedPicture, string>();
  let done = 0;
  const look = async (picture: PlacedPicture, through?: ByteSource) => {
    const why = await looked(picture, through);
    if (why !== undefined) faults.set(picture, why);
    progress?.(++done, pictures.length);
  };
  const files: PlacedPicture[] = [];
  const archives = new Map<ByteSource, PlacedPicture[]>();
  for (const picture of pictures) {
    const { archive } = picture;
    if (!archive) files.push(picture);
    else if (archives.has(archive)) archives.get(archive)!.push(picture);
    else archives.set(archive, [picture]);
  }
  await together(files.length, (i) => look(files[i]));
  for (const [archive, inside] of archives) {
    const windows = inWindows(archive, WINDOW);
    for (const each of inside.sort((a, b) => a.file.at! - b.file.at!)) await look(each, windows);
  }
  const whole = pictures.filter((each) => !faults.has(each));
  const { shape, unlike } = commonShape(whole, crop);
  const skipped = [
    ...bad,
    ...[...faults].map(([{ path }, why]) => ({ path, why })),
    ...unlike.map(({ path, why }) => ({ path, why })),
  ];
  if (skipped.length > 0 && (!skipBad || !shape))
    throw unusable(skipped, pictures.length + bad.length, cureOf(skipped, unlike));
  const left = new Set(unlike.map(({ path }) => path));
  return { shape: shape!, pictures: left.size > 0 ? whole.filter(({ path }) => !left.has(path)) : whole, skipped };
}

/** Notes the size and checksum of a picture, or says what is wrong with it. */
async function looked(picture: PlacedPicture, through?: ByteSource): Promise<string | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await picture.file.read(through);
  } catch (error) {
    // What is wrong with one entry leaves the others as they are.
    if (!(error instanceof OnestepError && error.code === "E_DATA")) throw error;
    return error.message.slice(error.message.indexOf(": ") + 2);
  }
  const read = pictureOf(picture, bytes);
  if ("why" in read) return read.why;
  [picture.width, picture.height, picture.channels] = [read.width, read.height, read.channels];
  picture.sum = xxh32(bytes);
  return undefined;
}
