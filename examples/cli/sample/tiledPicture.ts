import type { Picture } from "../../../plugins/observers/drawing/picture.ts";

/** Pixels between pictures. */
const GAP = 8;

/** Pictures of one size in rows, as wide as they are high or a picture wider; one picture is itself. */
export function tiledPicture(pictures: readonly Picture[]): Picture {
  if (pictures.length === 1) return pictures[0];
  const [{ width: w, height: h, channels }] = pictures;
  const columns = Math.ceil(Math.sqrt(pictures.length));
  const rows = Math.ceil(pictures.length / columns);
  const width = columns * (w + GAP) - GAP;
  const height = rows * (h + GAP) - GAP;
  const data = new Uint8Array(width * height * channels).fill(255);
  for (const [i, picture] of pictures.entries()) {
    const left = (i % columns) * (w + GAP);
    const top = Math.floor(i / columns) * (h + GAP);
    for (let y = 0; y < h; y++) {
      const row = picture.data.subarray(y * w * channels, (y + 1) * w * channels);
      data.set(row, ((top + y) * width + left) * channels);
    }
  }
  return { width, height, channels, data };
}
