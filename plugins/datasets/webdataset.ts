import { DATA_FOLDER, type Dataset } from "../../core/interfaces/mod.ts";
import { definePlugin, number, optional, text } from "../../core/plugin/mod.ts";
import { shardPictures } from "./shared/shardPictures.ts";
import { streamedPictures, streamOptions } from "./shared/streamedPictures.ts";

/**
 * Pictures in tar archives as WebDataset keeps them: `key.png`, its class `key.cls`, its caption `key.txt` or the member `caption`
 * of `key.json`. --data is the folder of the shards, one of them, or a pattern such as `train-{000000..000009}.tar`. Samples
 * [C, H, W] in [-1, 1], in order of shards. Shards stay on the disk: a batch reads its own entries, wherever they are, so that
 * no shuffling is needed.
 */
export const webdatasetDataset = definePlugin({
  name: "webdataset",
  kind: "dataset",
  about: "Pictures in tar shards of WebDataset, with classes (.cls) and captions (.txt, .json)",
  options: {
    shards: text({ default: "", about: "names of shards in the folder, such as train-{000..099}.tar; all without it" }),
    classes: optional(number({ min: 0, integer: true }), {
      about: "number of classes; 0 leaves labels alone; without it, what the .cls files say",
    }),
    ...streamOptions,
  },
  async create({ shards, classes, ...settings }, container): Promise<Dataset> {
    const folder = container.get(DATA_FOLDER);
    return streamedPictures(await shardPictures(folder, { shards, classes }), settings, folder);
  },
});
