import { resize } from "../../../core/pixels/mod.ts";
import { type Shape, sizeOf } from "../../../core/tensor/mod.ts";
import { imageGrid } from "../drawing/imageGrid.ts";
import type { Picture } from "../drawing/picture.ts";

/** The longest side of a picture on a page, in pixels: twenty of 1,024 would make the file 60 MB large. */
const MOST = 256;

/**
 * Images [N, C, H, W] in [-1, 1], one picture each; of latents and others of more than 3 channels the first three. Larger ones
 * than 256 pixels become smaller. Values that are not finite are magenta.
 */
export function shownSamples(
  x: ArrayLike<number> & { slice(start: number, end: number): ArrayLike<number> },
  [C, H, W]: Shape,
): Picture[] {
  const shown = C < 3 ? 1 : 3;
  const count = x.length / sizeOf([C, H, W]);
  return Array.from({ length: count }, (_, i) => {
    const from = i * C * H * W;
    return fitted(imageGrid(x.slice(from, from + shown * H * W), [1, shown, H, W], { margin: 0 }));
  });
}

function fitted(picture: Picture): Picture {
  const scale = MOST / Math.max(picture.width, picture.height);
  if (scale >= 1) return picture;
  const [width, height] = [picture.width, picture.height].map((side) => Math.max(1, Math.round(side * scale)));
  return { ...picture, ...resize(picture, { width, height }, "lanczos"), channels: picture.channels };
}
