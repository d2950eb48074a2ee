import { failure } from "../../../core/errors.ts";
import type { Offloaded } from "../../../core/interfaces/mod.ts";
import type { PngFiles, PngPixels } from "../../../core/io/mod.ts";
import type { Picture } from "./readPictures.ts";

/** Pixels of pictures, the middle of each, [B, C, H, W]. Throws E_DATA for one whose data are damaged. */
export async function decoded(
  decoder: Offloaded<PngFiles, PngPixels>,
  pictures: readonly Picture[],
  [C, H, W]: readonly [number, number, number],
): Promise<Float32Array> {
  const size = C * H * W;
  const all = new Float32Array(pictures.length * size);
  const groups = new Map<string, number[]>();
  for (const [i, { width, height }] of pictures.entries()) {
    const key = `${width} ${height}`;
    groups.set(key, [...(groups.get(key) ?? []), i]);
  }
  for (const places of groups.values()) {
    const { width, height } = pictures[places[0]];
    const files = places.map((place) => pictures[place].bytes);
    const { x, broken } = await decoder.run({ files, shape: [C, height, width] });
    if (broken >= 0)
      throw failure(
        "E_DATA",
        `Cannot use ${pictures[places[broken]].path}: its picture data are damaged or incomplete, should be a whole PNG file`,
        { fix: "write or download the file again, or take it out of the folder" },
      );
    if (groups.size === 1 && width === W && height === H) return x;
    const [top, left] = [(height - H) >> 1, (width - W) >> 1];
    for (const [i, place] of places.entries())
      for (let row = 0; row < C * H; row++) {
        const from = ((i * C + Math.floor(row / H)) * height + top + (row % H)) * width + left;
        all.set(x.subarray(from, from + W), place * size + row * W);
      }
  }
  return all;
}
