import { failure } from "../../core/errors.ts";
import { type Picture, toBytes } from "../../core/pixels/mod.ts";
import { formatShape, sizeOf } from "../../core/tensor/mod.ts";

/** Bytes of a picture, grey or RGB, row by row from the top left. */
export interface Pixels extends Picture<Uint8Array> {
  readonly channels: 1 | 3;
}

/** Samples [count, C, H, W] with values from -1 to 1 as pictures; others are refused with E_SHAPE. */
export function picturesOf(x: Float32Array, shape: readonly number[]): Pixels[] {
  const [count, ...sample] = shape;
  const [channels, height, width] = sample;
  if (sample.length !== 3 || (channels !== 1 && channels !== 3))
    throw failure("E_SHAPE", `Cannot make pictures of samples ${formatShape(sample)}: should be [1 or 3, H, W]`);
  const size = sizeOf(sample);
  return Array.from({ length: count }, (_, i) => {
    const planes = toBytes(x.subarray(i * size, (i + 1) * size), "round");
    const data = new Uint8Array(size);
    const area = width * height;
    for (let c = 0; c < channels; c++) for (let p = 0; p < area; p++) data[p * channels + c] = planes[c * area + p];
    return { width, height, channels, data };
  });
}

/** The reverse: values from -1 to 1, channel after channel. */
export function valuesOf(pictures: readonly Picture<Uint8Array>[]): { x: Float32Array; shape: readonly number[] } {
  const [{ width, height, channels }] = pictures;
  const area = width * height;
  const x = new Float32Array(pictures.length * channels * area);
  for (const [i, { data }] of pictures.entries())
    for (let c = 0; c < channels; c++)
      for (let p = 0; p < area; p++) x[(i * channels + c) * area + p] = data[p * channels + c] / 127.5 - 1;
  return { x, shape: [pictures.length, channels, height, width] };
}
