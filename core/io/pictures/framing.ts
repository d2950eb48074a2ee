import type { Picture } from "../../pixels/picture.ts";
import type { ResizeFilter } from "../../pixels/resampling.ts";
import { type PictureSize, resize } from "../../pixels/resize.ts";

/** How pictures of any size are brought to one. */
export interface Framing {
  /** Height and width of the middle that is taken of each; all of it without. */
  readonly crop?: readonly [height: number, width: number];
  /** Height and width that what is taken is resized to; it stays as it is without. */
  readonly size?: readonly [height: number, width: number];
  /** Whether the middle that has the aspect of `size` is taken, or all of it is stretched. */
  readonly fit: "crop" | "stretch";
  readonly filter: ResizeFilter;
}

/** A part of a picture. */
interface Box extends PictureSize {
  readonly left: number;
  readonly top: number;
}

/** The middle of a picture. An odd rest leaves one pixel more on the right and below. */
const middle = (of: PictureSize, { width, height }: PictureSize): Box => ({
  left: (of.width - width) >> 1,
  top: (of.height - height) >> 1,
  width,
  height,
});

/** What is taken of a picture of this size; undefined when it is smaller than what should be cropped. */
export function takenOf(picture: PictureSize, { crop, size, fit }: Framing): Box | undefined {
  let taken = picture;
  if (crop) {
    taken = { height: crop[0], width: crop[1] };
    if (taken.height > picture.height || taken.width > picture.width) return undefined;
  }
  if (size && fit === "crop") {
    const [H, W] = size;
    taken = {
      width: Math.min(taken.width, Math.max(1, Math.round((taken.height * W) / H))),
      height: Math.min(taken.height, Math.max(1, Math.round((taken.width * H) / W))),
    };
  }
  return middle(picture, taken);
}

/** What a picture becomes; undefined when it is smaller than what should be cropped. */
export function framed(picture: Picture<Uint8Array>, framing: Framing): Picture<Uint8Array> | undefined {
  const taken = takenOf(picture, framing);
  if (!taken) return undefined;
  const cut = cutOut(picture, taken);
  if (!framing.size) return cut;
  const [height, width] = framing.size;
  return resize(cut, { width, height }, framing.filter);
}

function cutOut(picture: Picture<Uint8Array>, { left, top, width, height }: Box): Picture<Uint8Array> {
  if (width === picture.width && height === picture.height) return picture;
  const { channels, data } = picture;
  const out = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * picture.width + left) * channels;
    out.set(data.subarray(from, from + width * channels), y * width * channels);
  }
  return { width, height, channels, data: out };
}
