/** A dataset of pictures that stay where they are: a batch reads the bytes of its own. */
import { failure, OnestepError, some } from "../../../core/errors.ts";
import { classLabel, type DataFolder, type Dataset } from "../../../core/interfaces/mod.ts";
import { type ByteSource, type Framing, inWindows, type StoredFile, takenOf, xxh32 } from "../../../core/io/mod.ts";
import { parseJson } from "../../../core/json/mod.ts";
import { boolean } from "../../../core/plugin/mod.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { divided, holdOutOption } from "./holdOut.ts";
import { PictureBatches } from "./pictureBatches.ts";
import {
  commonShape,
  cureOf,
  type FramingSettings,
  framingOf,
  framingOptions,
  type PictureShape,
  told,
} from "./pictureFraming.ts";
import type { PictureSet, PlacedPicture } from "./pictureSet.ts";
import { pictureOf, type StoredPicture } from "./readPictures.ts";
import { chooseRows, labelled } from "./shards.ts";
import { sigmaDataOption } from "./sigmaData.ts";
import { reasonOf, type Skipped, unusable } from "./skipped.ts";
import { together } from "./together.ts";

/** Options of every dataset whose pictures are read when they are needed. */
export const streamOptions = {
  ...framingOptions,
  holdOut: holdOutOption,
  check: boolean({
    default: true,
    about: "reads all pictures once before the first step; without it a bad one ends the run when a batch has it",
  }),
  skipBad: boolean({
    default: false,
    about: "leaves out pictures that are damaged, unlike most others or without their label or caption, and names them",
  }),
  sigmaData: sigmaDataOption(0.5),
};

/** Their values. */
export interface StreamSettings extends FramingSettings {
  readonly holdOut: number;
  readonly check: boolean;
  readonly skipBad: boolean;
  readonly sigmaData: number;
}

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
  const { channels, flip, check, skipBad, sigmaData } = settings;
  const framing = framingOf(name, settings);
  if (skipBad && !check)
    throw failure("E_OPTION", `Cannot configure ${name}: skipBad needs check, which reads all pictures first`);
  const { shape, pictures, skipped } = await (check
    ? lookedAt(set, { framing, channels, skipBad, progress })
    : unread(set, framing, channels));
  const [train, held] = divided(pictures, settings.holdOut, shape);
  if (train.length === 0)
    throw failure("E_DATA", `Cannot load ${name} from ${set.from}: no pictures are left to train on`);
  const batches = await PictureBatches.open<PlacedPicture>({
    bytesOf: async (picture) => {
      const bytes = await picture.file.read();
      if (picture.width === 0) holdTo(shape, picture, bytes, { framing, channels });
      return bytes;
    },
    formats: check ? pictures.map(({ format }) => format) : ["JPEG", "WebP"],
    shape,
    framing,
    offload,
    skipBad,
    skipped: (path, fault) => found?.(`${path} is left out: ${fault}`),
  });
  const take = async (rows: ArrayLike<number>, among: readonly PlacedPicture[]) => ({
    x: await batches.take(rows, among),
    condition: labelled(classes, () => Int32Array.from(rows, (row) => among[row % among.length].label)),
  });
  const [first, ...more] = told(pictures, framing, shape);
  const parts = [
    `${first}, read when they are needed`,
    ...more,
    classes > 0 ? `${classes} ${classes === 1 ? "class" : "classes"}` : "no classes",
    ...(set.hasCaptions ? ["captions"] : []),
    ...(flip ? ["each is there mirrored as well"] : []),
    ...(held.length > 0 ? [`${held.length} are held out to judge by`] : []),
    ...set.notes,
    ...(skipped.length > 0 ? [`${skipped.length} are left out: ${some(skipped.map(reasonOf))}`] : []),
  ];
  found?.(parts.join("; "));
  const count = train.length * (flip ? 2 : 1);
  const rowsOf = (which: number | ArrayLike<number>, random: () => number) => chooseRows(name, which, count, random);
  return {
    name,
    shape: { sample: shape, condition: classLabel(classes), sigmaData },
    size: count,
    choose: rowsOf,
    batch: async (which, random) => take(rowsOf(which, random), train),
    ...(set.hasCaptions && {
      captions: async (which: ArrayLike<number>) =>
        captionsOf(
          Array.from(
            rowsOf(which, () => 0),
            (row) => train[row % train.length],
          ),
        ),
    }),
    ...(held.length > 0 && {
      test: async () => ({ ...(await take(Array.from(held.keys()), held)), count: held.length }),
    }),
    ...(check && {
      fingerprint: () => {
        const all = [...train, ...held];
        const sums = Uint32Array.from(all, ({ sum }) => sum);
        const labels = Int32Array.from(all, ({ label }) => label);
        return fingerprintOf(name, { shape, framing, flip, held: held.length }, [sums, labels]);
      },
    }),
    dispose: () => batches.dispose(),
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

/** How the pictures of a set are brought to one shape. */
interface Shaping {
  readonly framing: Framing;
  readonly channels?: 1 | 3;
}

/** Throws E_DATA for a picture that was not looked at before and does not become this shape. */
function holdTo(shape: PictureShape, picture: PlacedPicture, bytes: Uint8Array, { framing, channels }: Shaping): void {
  const { path, label } = picture;
  const read = pictureOf({ path, label }, bytes);
  const [C, H, W] = shape;
  const fits = (each: StoredPicture) => {
    const taken = takenOf(each, framing);
    // Grey becomes RGB without loss, and RGB grey where that was asked for.
    if (!taken || !(channels || each.channels <= C)) return false;
    return framing.size !== undefined || (taken.height === H && taken.width === W);
  };
  const why =
    "why" in read ? read.why : fits(read) ? undefined : `it is ${sizeOf(read)}, the first is ${sizeOf(shape)}`;
  if (why !== undefined)
    throw failure("E_DATA", `Cannot use ${path}: ${why}`, {
      fix: "leave out bad pictures with --set dataset.check=true --set dataset.skipBad=true",
    });
}

const sizeOf = (of: PictureShape | Pick<StoredPicture, "width" | "height" | "channels">): string => {
  const [C, H, W] = "width" in of ? [of.channels, of.height, of.width] : of;
  return `${W} x ${H}, ${C === 1 ? "grey" : "RGB"}`;
};

interface Looked {
  readonly shape: PictureShape;
  readonly pictures: readonly PlacedPicture[];
  readonly skipped: readonly Skipped[];
}

/** The shape of the first picture, for all. */
async function unread(set: PictureSet, framing: Framing, channels?: 1 | 3): Promise<Looked> {
  const [first] = set.pictures;
  if (set.bad.length > 0 || !first)
    throw unusable(set.bad, set.pictures.length + set.bad.length, `${MEND}, or leave them out: ${SKIP}`);
  const read = pictureOf(first, await first.file.read());
  if ("why" in read) throw unusable([read], set.pictures.length, `${MEND}, or leave them out: ${SKIP}`);
  const { shape, unlike } = commonShape([read], framing, channels);
  if (unlike.length > 0) throw unusable(unlike, 1, "crop less");
  return { shape: shape!, pictures: set.pictures, skipped: [] };
}

const MEND = "write or download the file again";
const SKIP = "--set dataset.skipBad=true";

/** Reads all pictures once, archives from front to back, and holds them to their checksums and to one shape. */
async function lookedAt(
  { pictures, bad }: PictureSet,
  { framing, channels, skipBad, progress }: Shaping & Pick<StreamSettings, "skipBad"> & Pick<DataFolder, "progress">,
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
  const { shape, unlike } = commonShape(whole, framing, channels);
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
  [picture.width, picture.height] = [read.width, read.height];
  [picture.channels, picture.format] = [read.channels, read.format];
  picture.sum = xxh32(bytes);
  return undefined;
}
