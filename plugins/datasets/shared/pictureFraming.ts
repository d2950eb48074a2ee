/** How pictures of any format, size and colour become samples of one shape: the options for it, and what they make of a set. */
import { failure } from "../../../core/errors.ts";
import { type Framing, type PictureHeader, takenOf } from "../../../core/io/mod.ts";
import { boolean, choice, list, number, optional } from "../../../core/plugin/mod.ts";
import type { Skipped } from "./skipped.ts";

/** Options of every dataset of pictures. */
export const framingOptions = {
  size: list(number({ min: 1, integer: true }), {
    default: [],
    about: "height and width that pictures are resized to; all must have one size without it, and without crop",
  }),
  fit: choice(["crop", "stretch"], {
    default: "crop",
    about: "how pictures of another shape come to size: its middle is taken, or all of it stretched",
  }),
  filter: choice(["box", "bilinear", "bicubic", "lanczos"], {
    default: "lanczos",
    about: "how size resizes, bit for bit as Pillow does",
  }),
  crop: list(number({ min: 1, integer: true }), {
    default: [],
    about: "height and width of the middle that is taken of each picture, before any resizing; all of it without",
  }),
  channels: optional(choice([1, 3]), {
    about: "1 makes all pictures grey, 3 RGB; without it they are grey where all of them are",
  }),
  flip: boolean({
    default: false,
    about: "adds every picture mirrored, left to right",
  }),
};

/** Their values. */
export interface FramingSettings extends Pick<Framing, "fit" | "filter"> {
  readonly size: readonly number[];
  readonly crop: readonly number[];
  readonly channels?: 1 | 3;
  readonly flip: boolean;
}

/** Of a sample. */
export type PictureShape = readonly [C: number, H: number, W: number];

/** What the options ask for. Throws E_OPTION for a size that is no height and width. */
export const framingOf = (dataset: string, { size, crop, fit, filter }: FramingSettings): Framing => ({
  size: pair(dataset, "size", size),
  crop: pair(dataset, "crop", crop),
  fit,
  filter,
});

function pair(dataset: string, name: string, given: readonly number[]): readonly [number, number] | undefined {
  if (given.length === 0) return undefined;
  if (given.length === 2) return [given[0], given[1]];
  throw failure(
    "E_OPTION",
    `Cannot configure ${dataset}: ${name} is [${given.join(", ")}], should be a height and a width, such as [64, 48]`,
  );
}

/** What is known of a picture without its bytes. */
export type Sized = Omit<PictureHeader, "format"> & { readonly path: string };

/** A picture that does not go with most others, and which option would take it. */
export interface Unlike extends Skipped {
  readonly cure: string;
}

/** The shape that all pictures become, or most of them have, and the pictures that do not. */
export function commonShape(pictures: readonly Sized[], framing: Framing, channels?: 1 | 3) {
  const C = channels ?? (pictures.every((each) => each.channels === 1) ? 1 : 3);
  const common = mostCommon(pictures.map(({ width, height }) => `${width} x ${height}`));
  if (common === undefined) return { shape: undefined, unlike: [] };
  const { crop, size } = framing;
  const [width, height] = common.split(" x ").map(Number);
  const [H, W] = size ?? crop ?? [height, width];
  const least = [leastOf(pictures.map((each) => each.height)), leastOf(pictures.map((each) => each.width))];
  const cropping = `--set dataset.crop=[${least.join(",")}] (height, width)`;
  const unlike: Unlike[] = [];
  for (const each of pictures) {
    const taken = takenOf(each, framing);
    if (taken && (size || (taken.height === H && taken.width === W))) continue;
    const should = crop ? `should be at least ${crop[1]} x ${crop[0]} as crop says` : `most others are ${common}`;
    unlike.push({
      path: each.path,
      why: `it is ${each.width} x ${each.height}, ${should}`,
      cure: crop
        ? `crop less with ${cropping}`
        : `resize all to one size with --set dataset.size=[${height},${width}] (height, width), or take the middle of each with ${cropping}`,
    });
  }
  return { shape: [C, H, W] as PictureShape, unlike };
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
    (/CMYK|arithmetic|lossless or|animated|bits per sample/.test(first.why)
      ? "save it as an ordinary RGB picture"
      : "write or download the file again");
  return `${save}; or leave such files out with --set dataset.skipBad=true`;
}

/** What pictures are and what is made of them, a few words each. Those that were not looked at have no width. */
export function told(
  pictures: readonly Partial<PictureHeader>[],
  { size, filter }: Framing,
  [C, H, W]: PictureShape,
): string[] {
  const known = pictures.filter(({ width = 0 }) => width > 0) as readonly PictureHeader[];
  const counts = new Map<string, number>();
  for (const { format } of known) counts.set(format, (counts.get(format) ?? 0) + 1);
  // PNG alone needs no word.
  const isPng = counts.size === 0 || (counts.size === 1 && counts.has("PNG"));
  const formats = isPng ? "" : ` (${[...counts].map(([format, count]) => `${count} ${format}`).join(", ")})`;
  const converted = known.filter((each) => each.channels !== C).length;
  const small = known.filter(({ width, height }) => width < W || height < H).length;
  return [
    `${pictures.length} pictures${formats}, ${W} x ${H}, ${C === 1 ? "grey" : "RGB"}`,
    ...(converted > 0 ? [`${converted} that are ${C === 1 ? "RGB become grey" : "grey become RGB"}`] : []),
    ...(size && small > 0 ? [`${small} smaller ones are enlarged by ${filter}`] : []),
  ];
}
