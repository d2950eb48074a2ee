import { failure } from "../../core/errors.ts";
import { classLabel, DATA_FOLDER, type Dataset } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
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
    sigmaData: number({
      default: 0.5,
      above: 0,
      about: "standard deviation of the data as the preconditioning takes it",
    }),
  },
  async create({ classes, sigmaData }, container): Promise<Dataset> {
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
    if (classes > 0) checkLabels(label, classes);
    return {
      name: "images",
      shape: { sample: x.shape, condition: classLabel(classes), sigmaData },
      size: count,
      choose: (amount, random) => chooseRows("images", amount, count, random),
      batch(which, random) {
        const rows = chooseRows("images", which, count, random);
        return {
          x: takeRows(x, rows, place),
          condition: labelled(classes, () => takeIntegers(label, rows, place)),
        };
      },
    };
  },
});

function checkLabels(label: Column | undefined, classes: number): void {
  const refuse = (why: string) => failure("E_DATA", `Cannot load images: ${why}`);
  if (!label) throw refuse(`the files have no tensor label, should have one for ${classes} classes`);
  const isClass = (value: number | bigint) => value >= 0 && value < classes;
  for (const part of label.parts)
    for (const value of part) if (!isClass(value)) throw refuse(`a label is ${value}, should be 0 to ${classes - 1}`);
}
