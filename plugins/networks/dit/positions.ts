import { positionalFrequencies } from "../../../core/nn/mod.ts";

/**
 * Where each of h·w tokens lies, row by row: [sin(x·f), cos(x·f), sin(y·f), cos(y·f)] with x the column, y the row and
 * f_i = 10000^(−i/n), i = 0…n−1, n = width/4. [h·w, width], row-major; columns come first, as in the official code.
 * @param width a multiple of 4
 */
export function gridPositions(h: number, w: number, width: number): number[] {
  const frequencies = positionalFrequencies(width / 4);
  const along = (place: number) => [
    ...frequencies.map((f) => Math.sin(place * f)),
    ...frequencies.map((f) => Math.cos(place * f)),
  ];
  return Array.from({ length: h * w }, (_, i) => [...along(i % w), ...along(Math.floor(i / w))]).flat();
}
