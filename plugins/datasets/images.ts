import { failure } from "../../core/errors.ts";
import { classLabel, DATA_FOLDER, type Dataset } from "../../core/interfaces/mod.ts";
import { type StoredTensor, toFloat32 } from "../../core/io/mod.ts";
import { definePlugin, list, number, optional } from "../../core/plugin/mod.ts";
import { fingerprintOf } from "./shared/fingerprint.ts";
import {
  type Column,
  checkFinite,
  chooseRows,
  FLOATS,
  INTEGERS,
  labelled,
  readShards,
  takeIntegers,
  takeRows,
} from "./shared/shards.ts";
import { sigmaDataOption } from "./shared/sigmaData.ts";

/** What F32, F16 or BF16 values may span, where the option says nothing. */
const SPAN = [-1, 1] as const;

/**
 * A user's own images: every `.safetensors` file of the data folder is a shard with `x` [N, C, H, W], U8 (read as
 * u8/127.5 − 1), F32, F16 or BF16 in [-1, 1], and for data with classes `label` [N], whole numbers 0 … classes − 1. Samples [C, H, W].
 * Shards stay in memory as stored: 15.7 GB for all of ImageNet at 64 pixels.
 */
export const imagesDataset = definePlugin({
  name: "images",
  kind: "dataset",
  about: "Images of your own, from safetensors files in the data folder",
  options: {
    classes: number({
      default: 0,
      min: 0,
      integer: true,
      about: "number of classes, 1000 for ImageNet; 0 for images without, whose labels are not read",
    }),
    range: optional(list(number()), {
      about: "what black and white are in F32, F16 or BF16 files, such as 0,1 or 0,255; -1,1 without it. U8 needs none",
    }),
    sigmaData: sigmaDataOption(0.5),
  },
  async create({ classes, range, sigmaData }, container): Promise<Dataset> {
    const { count, columns, place } = await readShards({
      name: "images",
      ...container.get(DATA_FOLDER),
      specs: {
        x: { dtypes: ["U8", ...FLOATS], rank: 4 },
        label: { dtypes: INTEGERS, rank: 1, optional: true },
      },
    });
    const { x, label } = columns;
    checkFinite("images", "x", x);
    const bring = x.dtype === "U8" ? (values: Float32Array) => values : checkedRange(x, range);
    if (classes > 0) checkLabels(label, classes);
    return {
      name: "images",
      shape: { sample: x.shape, condition: classLabel(classes), sigmaData },
      size: count,
      choose: (amount, random) => chooseRows("images", amount, count, random),
      batch(which, random) {
        const rows = chooseRows("images", which, count, random);
        return {
          x: bring(takeRows(x, rows, place)),
          condition: labelled(classes, () => takeIntegers(label, rows, place)),
        };
      },
      fingerprint: () =>
        fingerprintOf("images", { shape: x.shape, dtype: x.dtype, classes, range: range ?? SPAN }, [
          ...x.parts,
          ...(classes > 0 ? label.parts : []),
        ]),
    };
  },
});

/**
 * Holds values to their range, and gives what brings them to [-1, 1].
 * @throws E_OPTION, or E_DATA with the range that they seem to have
 */
function checkedRange(
  x: Column,
  range: readonly number[] = SPAN,
  slack = 1e-3,
): (values: Float32Array) => Float32Array {
  const [black, white] = range;
  if (range.length !== 2 || !(black < white))
    throw failure(
      "E_OPTION",
      `Cannot configure images: range is [${range.join(", ")}], should be two numbers that rise, such as 0,255`,
    );
  const [low, high] = extremes(x);
  const outside = Math.max(black - low, high - white) > slack * (white - black);
  // Data that have no pixel darker than the middle grey are not in [-1, 1].
  const brightOnly = range === SPAN && low >= 0 && high > 0;
  if (outside || brightOnly)
    throw failure(
      "E_DATA",
      `Cannot use the images in ${x.files[0]}${x.files.length > 1 ? " and others" : ""}: x is ${x.dtype} from ${low} to ${high}, should span ${black} to ${white}`,
      {
        fix: `say what black and white are with --set dataset.range=${high > 1 ? "0,255" : low >= 0 ? "0,1" : "-1,1"}`,
      },
    );
  if (black === -1 && white === 1) return (values) => values;
  return (values) => values.map((value) => (2 * (value - black)) / (white - black) - 1);
}

/** Smallest and largest value of a column of floating-point numbers. */
function extremes({ dtype, shape, parts }: Column): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const data of parts) {
    const size = shape.reduce((product, each) => product * each, 1);
    for (let first = 0; first < data.length; first += size) {
      const row = toFloat32({ dtype, shape, data: data.subarray(first, first + size) } as StoredTensor);
      for (const value of row) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
  }
  return [low, high];
}

function checkLabels(label: Column | undefined, classes: number): void {
  const refuse = (why: string) => failure("E_DATA", `Cannot load images: ${why}`);
  if (!label) throw refuse(`the files have no tensor label, should have one for ${classes} classes`);
  const isClass = (value: number | bigint) => value >= 0 && value < classes;
  for (const part of label.parts)
    for (const value of part) if (!isClass(value)) throw refuse(`a label is ${value}, should be 0 to ${classes - 1}`);
}
