import { DATA_FOLDER, type Dataset } from "../../core/interfaces/mod.ts";
import { definePlugin, number, optional, text } from "../../core/plugin/mod.ts";
import { streamedPictures, streamOptions } from "./shared/streamedPictures.ts";
import { zipPictures } from "./shared/zipPictures.ts";

/**
 * Pictures in a zip archive with labels in its `dataset.json`, as NVlabs/edm's dataset_tool writes ImageNet-64, CIFAR-10 and
 * FFHQ. Samples [C, H, W] in [-1, 1], in order of names; classes are 0 to the largest label. The archive stays on the disk: a
 * batch reads its own entries. Karras et al. 2022, arXiv:2206.00364.
 */
export const edmZipDataset = definePlugin({
  name: "edm-zip",
  kind: "dataset",
  about: "Pictures in a zip archive with dataset.json, as EDM's dataset_tool writes it",
  options: {
    file: text({ default: "", about: "the archive; without it --data, or the only one in that folder" }),
    classes: optional(number({ min: 0, integer: true }), {
      about: "number of classes; 0 leaves labels alone; without it, what dataset.json says",
    }),
    ...streamOptions,
  },
  async create({ file, classes, ...settings }, container): Promise<Dataset> {
    const folder = container.get(DATA_FOLDER);
    return streamedPictures(await zipPictures(folder, { file, classes }), settings, folder);
  },
});
