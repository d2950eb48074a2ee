/** Small patches of images at several resolutions, as descriptors of how images look. */

/** What is taken of every image. */
export interface PatchPlan {
  readonly channels: number;
  /** Sides of a patch in pixels. */
  readonly height: number;
  readonly width: number;
  /** Resolutions [height, width], each half of the one before. */
  readonly levels: readonly (readonly [height: number, width: number])[];
}

/** Resolutions at most; from 64 pixels on these are 64, 32 and 16. */
const LEVELS = 3;
/** Side of a patch. */
const SIDE = 7;

/** Patches of 7 x 7 pixels of images [C, H, W], at their own resolution and at halves of it that hold at least two side by side. */
export function patchPlan([channels, H, W]: readonly number[]): PatchPlan {
  const levels: [number, number][] = [[H, W]];
  while (levels.length < LEVELS) {
    const [h, w] = levels[levels.length - 1].map((side) => side >> 1);
    if (Math.min(h, w) < 2 * SIDE) break;
    levels.push([h, w]);
  }
  return { channels, height: Math.min(SIDE, H), width: Math.min(SIDE, W), levels };
}

/** An image [C, H, W] at half its size: means of 2 x 2, an odd row or column left out. */
export function halved(image: Float32Array, channels: number, H: number, W: number): Float32Array {
  const [h, w] = [H >> 1, W >> 1];
  const out = new Float32Array(channels * h * w);
  for (let c = 0, at = 0; c < channels; c++)
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++, at++) {
        const from = (c * H + 2 * y) * W + 2 * x;
        out[at] = (image[from] + image[from + 1] + image[from + W] + image[from + W + 1]) / 4;
      }
  return out;
}

/** The patch of an image [C, H, W] whose corner is at (y, x), into `out` [C, height, width]. */
export function cutPatch(
  out: Float64Array,
  image: Float32Array,
  { channels, height, width }: PatchPlan,
  [H, W]: readonly [number, number],
  y: number,
  x: number,
): void {
  let at = 0;
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < height; i++) for (let j = 0; j < width; j++) out[at++] = image[(c * H + y + i) * W + x + j];
}
