import type { Extractor } from "../../../core/interfaces/mod.ts";
import {
  type ByteRule,
  byteRules,
  type Picture,
  type ResizeFilter,
  resize,
  toBytes,
} from "../../../core/pixels/mod.ts";
import { choice, number, type OptionSpec } from "../../../core/plugin/mod.ts";

/** How the samples and the data of a metric become pictures. */
export interface PictureOptions {
  readonly bytes: ByteRule;
  /** The middle square is resized to so many pixels, by Lanczos' filter on bytes; 0 leaves pictures as they are. */
  readonly size: number;
  /** Pictures of at least this height and width lose all but the middle of this size. */
  readonly cut?: number;
}

/** The options that every metric over pictures has. */
export const pictureOptions: { readonly bytes: OptionSpec<ByteRule>; readonly size: OptionSpec<number> } = {
  bytes: choice(byteRules, {
    default: "dmd2",
    about: "how values become bytes: cut off after (x + 1)·127.5 or x·127.5 + 128, or rounded",
  }),
  size: number({
    default: 0,
    min: 0,
    max: 8192,
    integer: true,
    about: "pixels to which the middle square is first resized by Lanczos' filter, 256 or 512 on COCO; 0 leaves it",
  }),
};

type Reads = Extractor["reads"];

/** [C, H, W] of the pictures that an extractor is given of samples [C, H, W]. */
export function preparedShape(
  [C, H, W]: readonly number[],
  how: PictureOptions,
  { size }: Reads,
): [number, number, number] {
  if (size) return [C, size, size];
  if (how.size) return [C, how.size, how.size];
  const { cut } = how;
  return cut && Math.min(H, W) >= cut ? [C, cut, cut] : [C, H, W];
}

/**
 * Samples in [-1, 1] as an extractor reads them: bytes, as files of pictures have them, then the middle and the sizes that the
 * protocol and the extractor want, and back in [-1, 1]. x and result row-major, all samples one after the other.
 */
export function prepared(x: Float32Array, [, H, W]: readonly number[], how: PictureOptions, reads: Reads) {
  const bytes = toBytes(x, how.bytes);
  const planes = bytes.length / (H * W);
  const parts = Array.from({ length: planes }, (_, plane) => {
    const data = bytes.subarray(plane * H * W, (plane + 1) * H * W);
    return forExtractor(forProtocol({ width: W, height: H, channels: 1, data }, how), reads).data;
  });
  const out = new Float32Array(planes * (parts[0]?.length ?? 0));
  for (const [plane, part] of parts.entries())
    for (let i = 0, at = plane * part.length; i < part.length; i++, at++)
      out[at] = Math.min(255, Math.max(0, part[i])) / 127.5 - 1;
  return out;
}

type Plane = Picture<Uint8Array>;

function forProtocol(plane: Plane, { size, cut }: PictureOptions): Plane {
  if (cut && Math.min(plane.width, plane.height) >= cut) return middle(plane, cut);
  if (!size) return plane;
  return sized(middle(plane, Math.min(plane.width, plane.height)), size, size, "lanczos");
}

function forExtractor(plane: Plane, reads: Reads): Picture {
  if (!reads.size) return plane;
  return reads.resized === "bytes"
    ? fitted(plane, reads.size, reads.fit)
    : fitted({ ...plane, data: Float32Array.from(plane.data) }, reads.size, reads.fit);
}

function fitted<Data extends Uint8Array | Float32Array>(plane: Picture<Data>, size: number, fit: Reads["fit"]) {
  if (fit !== "crop") return sized(plane, size, size, "bicubic");
  const shorter = Math.min(plane.width, plane.height);
  // The longer side is cut off after the point, as torchvision has it.
  const along = (side: number) => Math.trunc((size * side) / shorter);
  return middle(sized(plane, along(plane.width), along(plane.height), "bicubic"), size);
}

function sized<Data extends Uint8Array | Float32Array>(
  picture: Picture<Data>,
  width: number,
  height: number,
  filter: ResizeFilter,
): Picture<Data> {
  if (picture.width === width && picture.height === height) return picture;
  return resize(picture, { width, height }, filter);
}

/** The middle `side` × `side` pixels of a plane, where an odd rest is halved as Python rounds: to the even number. */
function middle<Data extends Uint8Array | Float32Array>(plane: Picture<Data>, side: number): Picture<Data> {
  const { width, height, data } = plane;
  if (width === side && height === side) return plane;
  const [left, top] = [halfToEven(width - side), halfToEven(height - side)];
  const cut = new (data.constructor as { new (length: number): Data })(side * side);
  for (let y = 0; y < side; y++) {
    const from = (top + y) * width + left;
    cut.set(data.subarray(from, from + side), y * side);
  }
  return { width: side, height: side, channels: 1, data: cut };
}

/** n/2, a half rounded to the even neighbour. */
function halfToEven(n: number): number {
  const below = Math.floor(n / 2);
  return n % 2 === 0 ? below : below + (below % 2);
}
