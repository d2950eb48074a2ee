import { failure } from "../errors.ts";
import type { Picture } from "./picture.ts";
import { type AxisWeights, axisWeights, nearestPixels, type ResizeFilter } from "./resampling.ts";

/** A size in pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/**
 * Resizes a picture as Pillow's `Image.resize` does, bit for bit (floats by `hamming` and `lanczos` up to the last place of
 * sine and cosine): bytes with weights of 22 bits and rounding to bytes between
 * the passes, floats with sums in float64 and no rounding or clipping. Rows first, then columns; an axis that keeps its size
 * is left as it is. Checked against Pillow 9.4.0.
 * @throws E_SHAPE when the data do not fit the picture's size, or the new size is not positive
 */
export function resize<Data extends Uint8Array | Float32Array>(
  picture: Picture<Data>,
  { width, height }: PictureSize,
  filter: ResizeFilter,
): Picture<Data> {
  checkSizes(picture, { width, height });
  if (filter === "nearest") return nearest(picture, { width, height });
  const narrow = width === picture.width ? picture : alongRows(picture, axisWeights(picture.width, width, filter));
  return height === picture.height ? narrow : alongColumns(narrow, axisWeights(picture.height, height, filter));
}

function checkSizes({ width, height, channels, data }: Picture, to: PictureSize): void {
  if (data.length !== width * height * channels)
    throw failure(
      "E_SHAPE",
      `Cannot resize a picture of ${width} x ${height} pixels: it has ${data.length} values, should have ${width * height * channels}`,
    );
  for (const size of [width, height, to.width, to.height])
    if (!(Number.isInteger(size) && size > 0))
      throw failure(
        "E_SHAPE",
        `Cannot resize a picture of ${width} x ${height} pixels to ${to.width} x ${to.height}: sizes should be whole and positive`,
      );
}

const like = <Data extends Uint8Array | Float32Array>(data: Data, length: number): Data =>
  (data instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length)) as Data;

function nearest<Data extends Uint8Array | Float32Array>(picture: Picture<Data>, size: PictureSize): Picture<Data> {
  const { width, height } = size;
  const { channels, data } = picture;
  const columns = nearestPixels(picture.width, width);
  const rows = nearestPixels(picture.height, height);
  const out = like(data, width * height * channels);
  let at = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = (rows[y] * picture.width + columns[x]) * channels;
      for (let c = 0; c < channels; c++) out[at++] = data[from + c];
    }
  return { width, height, channels, data: out };
}

/** Weights of 22 bits after the point: what is left of 32 beside a byte, a sign and an overshoot. */
const UNIT = 2 ** 22;

/** The weights of a pass, and how its sums become values of the data's kind. */
function rounding(data: Uint8Array | Float32Array, { weights }: AxisWeights) {
  if (data instanceof Float32Array) return { weights, start: 0, value: (sum: number) => sum };
  return {
    weights: weights.map((weight) => Math.trunc(weight * UNIT + (weight < 0 ? -0.5 : 0.5))),
    start: UNIT / 2,
    value: (sum: number) => Math.min(255, Math.max(0, Math.floor(sum / UNIT))),
  };
}

function alongRows<Data extends Uint8Array | Float32Array>(picture: Picture<Data>, axis: AxisWeights): Picture<Data> {
  const { height, channels, data } = picture;
  const width = axis.first.length;
  const { weights, start, value } = rounding(data, axis);
  const out = like(data, width * height * channels);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = (y * picture.width + axis.first[x]) * channels;
      for (let c = 0; c < channels; c++) {
        let sum = start;
        for (let k = 0; k < axis.count[x]; k++) sum += data[from + k * channels + c] * weights[x * axis.stride + k];
        out[(y * width + x) * channels + c] = value(sum);
      }
    }
  return { width, height, channels, data: out };
}

function alongColumns<Data extends Uint8Array | Float32Array>(
  picture: Picture<Data>,
  axis: AxisWeights,
): Picture<Data> {
  const { width, channels, data } = picture;
  const height = axis.first.length;
  const { weights, start, value } = rounding(data, axis);
  const row = width * channels;
  const out = like(data, height * row);
  const sums = new Float64Array(row);
  for (let y = 0; y < height; y++) {
    sums.fill(start);
    for (let k = 0; k < axis.count[y]; k++) {
      const weight = weights[y * axis.stride + k];
      const from = (axis.first[y] + k) * row;
      for (let i = 0; i < row; i++) sums[i] += data[from + i] * weight;
    }
    for (let i = 0; i < row; i++) out[y * row + i] = value(sums[i]);
  }
  return { width, height, channels, data: out };
}
