import { failure } from "../../core/errors.ts";
import { type FileSystem, PICTURE_HEADER_BYTES, pictureHeader } from "../../core/io/mod.ts";
import type { RunConfig } from "../../core/train/mod.ts";
import { findPictures } from "../../plugins/datasets/shared/pictureFolder.ts";
import { type PlacedName, type PlacedOptions, placedPictures } from "../../plugins/datasets/shared/placedPictures.ts";

/** The least pictures that can be judged by, and in each class: of ten, one is held out. */
const LEAST = 20;
/** Samples that the classifier is trained on, 400 updates of it, if a hundred passes have so many: of few pictures it needs more than three. */
const JUDGE_SAMPLES = 400 * 128;
/** A side that the lowest resolution may have: halved further only above the one, never below the other. */
const [LOW, LEAST_SIDE] = [8, 5];
/** Pixels that attention may look at together. */
const ATTENDED = 1024;

/** What is asked of the dataset, as its options say it. */
export interface PictureOptions {
  readonly classes?: number;
  readonly crop: readonly number[];
  readonly size?: readonly number[];
}

/**
 * What a folder of pictures makes of the preset: resolutions and attention of the network by the size of the pictures, metrics by
 * what there is to compare with.
 *   two classes or more: class accuracy and Fréchet distance by a classifier trained on the training pictures, and patches
 *   else: patches alone; nothing where there are too few pictures to hold some out
 * @throws E_DATA for a folder without pictures, or pictures that no network here fits, with what cures it
 */
export async function fitPictures(
  files: FileSystem,
  path: string,
  { classes, crop, size = [] }: PictureOptions,
): Promise<Pick<RunConfig, "metrics"> & { readonly network: object; readonly dataset: object }> {
  const { pictures, names } = await findPictures(files, path, classes);
  const [first] = pictures;
  const bytes = Math.min(PICTURE_HEADER_BYTES, await files.size(first.path));
  const start = await files.readRange(first.path, 0, bytes);
  return fitTo({ path, start, crop, size, count: pictures.length, classes: names?.length ?? 0 });
}

/** What is known of pictures before they are looked at. */
interface Known {
  readonly path: string;
  /** The beginning of the first, with its header. */
  readonly start: Uint8Array;
  readonly crop: readonly number[];
  readonly size: readonly number[];
  readonly count: number;
  readonly classes: number;
}

function fitTo({ path, start, crop, size, count, classes }: Known) {
  const header = pictureHeader(start);
  // The dataset says what is wrong with it.
  if ("fault" in header) return { network: {}, dataset: {}, metrics: {} };
  const [height, width] = [size, crop].find(({ length }) => length === 2) ?? [header.height, header.width];
  const network = fitNetwork(height, width, path);
  if (count < LEAST) return { network, dataset: { holdOut: 0 }, metrics: {} };
  const known = { "patch-distance": {} };
  if (classes < 2) return { network, dataset: {}, metrics: known };
  const epochs = Math.min(100, Math.max(3, Math.ceil(JUDGE_SAMPLES / count)));
  return { network, dataset: {}, metrics: { "classifier-frechet": { epochs }, ...known } };
}

/**
 * The same for pictures in archives, or with captions: `use` is their dataset.
 * @throws E_DATA
 */
export async function fitArchived(
  files: FileSystem,
  path: string,
  use: PlacedName,
  options: PictureOptions & PlacedOptions,
): ReturnType<typeof fitPictures> {
  const set = await placedPictures(use, { files, path }, options);
  const [first] = set.pictures;
  // The dataset says what is wrong with them.
  if (!first) return { network: {}, dataset: { use }, metrics: {} };
  const start = await first.file.read().catch(() => new Uint8Array());
  const { pictures, classes } = set;
  const { crop, size = [] } = options;
  const fitted = fitTo({ path, start, crop, size, count: pictures.length, classes });
  return { ...fitted, dataset: { use, holdOut: HELD_OUT, ...fitted.dataset } };
}

/** The share that the preset holds out. */
const HELD_OUT = 0.1;

/** Resolutions that halve down to about 8 pixels, and attention at the lowest. */
export function fitNetwork(
  height: number,
  width: number,
  path: string,
): { channelMult: number[]; attention: number[] } {
  const levels = [[height, width]];
  for (let [h, w] = levels[0]; h % 2 === 0 && w % 2 === 0; ) {
    [h, w] = [h / 2, w / 2];
    if (Math.min(h, w) < LEAST_SIDE || Math.max(2 * h, 2 * w) <= LOW) break;
    levels.push([h, w]);
    if (Math.max(h, w) <= LOW) break;
  }
  const [h, w] = levels[levels.length - 1];
  if (h * w > ATTENDED) throw cannotHalve(height, width, path);
  return { channelMult: levels.map((_, i) => (i === 0 ? 1 : 2)), attention: [h] };
}

function cannotHalve(height: number, width: number, path: string) {
  let unit = 2;
  while (Math.min(height, width) / unit > 2 * LOW) unit *= 2;
  const [h, w] = [height, width].map((side) => Math.floor(side / unit) * unit);
  return failure(
    "E_DATA",
    `Cannot fit a network to the pictures of ${path}: they are ${width} x ${height}, which does not halve often enough, should be sides that are multiples of ${unit}`,
    {
      fix: `resize them with --set dataset.size=[${h},${w}], or take the middle of each with --set dataset.crop=[${h},${w}] (height, width)`,
    },
  );
}
