import { failure, some } from "../../core/errors.ts";
import { classLabel, DATA_FOLDER, type Dataset } from "../../core/interfaces/mod.ts";
import { fileBytes, openNpz, type StoredTensor } from "../../core/io/mod.ts";
import { definePlugin, number, text } from "../../core/plugin/mod.ts";
import { oneFile } from "./shared/dataPath.ts";
import { fingerprintOf } from "./shared/fingerprint.ts";
import { chooseRows, labelled } from "./shared/shards.ts";
import { sigmaDataOption } from "./shared/sigmaData.ts";

/**
 * Images of a NumPy archive as evaluation suites keep them: bytes [N, H, W, C], 0 to 255, and for data with classes whole numbers
 * [N]. Samples [C, H, W] in [-1, 1], u8/127.5 − 1. The archive stays in memory as bytes. Dhariwal & Nichol 2021,
 * arXiv:2105.05233, have samples of all their baselines in this form.
 */
export const npzDataset = definePlugin({
  name: "npz",
  kind: "dataset",
  about: "Images of a NumPy archive .npz, bytes [N, H, W, C]",
  options: {
    file: text({ default: "", about: "the archive; without it --data, or the only one in that folder" }),
    images: text({ default: "arr_0", about: "name of the array of images" }),
    labels: text({ default: "arr_1", about: "name of the array of classes" }),
    classes: number({ default: 0, min: 0, integer: true, about: "number of classes; 0 for images without" }),
    sigmaData: sigmaDataOption(0.5),
  },
  async create({ file, images, labels, classes, sigmaData }, container): Promise<Dataset> {
    const { files, file: archive } = await oneFile("npz", container.get(DATA_FOLDER), { file, ending: ".npz" });
    const arrays = await openNpz(await fileBytes(files, archive));
    const read = async (name: string, what: string, fits: (array: StoredTensor) => boolean): Promise<StoredTensor> => {
      const array = await arrays[name]?.read();
      if (array && fits(array)) return array;
      const has = array
        ? `${name} is ${array.dtype} [${array.shape.join(", ")}]`
        : `it has ${some(Object.keys(arrays)) || "no arrays"}`;
      throw failure("E_DATA", `Cannot use ${archive}: ${has}, should have ${what}`, {
        fix: "say which array it is with dataset.images or dataset.labels",
      });
    };
    const stored = await read(
      images,
      "images as bytes [N, H, W, C] with 1 or 3 channels",
      ({ dtype, shape }) =>
        dtype === "U8" && shape.length === 4 && (shape[3] === 1 || shape[3] === 3) && !shape.includes(0),
    );
    const [size, H, W, C] = stored.shape;
    const isClass = (value: number | bigint) => value >= 0 && value < classes && Number.isInteger(Number(value));
    const label =
      classes === 0
        ? undefined
        : Int32Array.from(
            (
              await read(labels, `a class 0 to ${classes - 1} for each of ${size} images`, ({ dtype, shape, data }) => {
                // Halves are bit patterns.
                return shape.join() === `${size}` && dtype !== "F16" && (data as Uint8Array).every(isClass);
              })
            ).data as Int32Array,
            Number,
          );
    const bytes = stored.data as Uint8Array;
    const pixels = H * W;
    return {
      name: "npz",
      shape: { sample: [C, H, W], condition: classLabel(classes), sigmaData },
      size,
      choose: (count, random) => chooseRows("npz", count, size, random),
      batch(which, random) {
        const rows = chooseRows("npz", which, size, random);
        const x = new Float32Array(rows.length * C * pixels);
        for (let n = 0; n < rows.length; n++)
          for (let c = 0; c < C; c++)
            for (let i = 0; i < pixels; i++)
              x[(n * C + c) * pixels + i] = bytes[(rows[n] * pixels + i) * C + c] / 127.5 - 1;
        return { x, condition: labelled(classes, () => Int32Array.from(rows, (row) => label![row])) };
      },
      fingerprint: () => fingerprintOf("npz", { shape: [size, C, H, W], classes }, label ? [bytes, label] : [bytes]),
    };
  },
});
