import { DATA_FOLDER, type Dataset } from "../../core/interfaces/mod.ts";
import { definePlugin, text } from "../../core/plugin/mod.ts";
import { cocoPictures } from "./shared/cocoPictures.ts";
import { streamedPictures, streamOptions } from "./shared/streamedPictures.ts";

/**
 * Pictures with captions as COCO has them: `annotations/captions_val2014.json` and the folder `val2014`. Samples [C, H, W] in
 * [-1, 1], in the order of the JSON, each with the first of its captions. Pictures stay on the disk.
 * Lin et al. 2014, arXiv:1405.0312.
 */
export const cocoDataset = definePlugin({
  name: "coco",
  kind: "dataset",
  about: "Pictures with captions of COCO, captions….json and a folder",
  options: {
    captions: text({
      default: "",
      about: "the JSON file; without it, captions….json in the data folder or its annotations",
    }),
    pictures: text({
      default: "",
      about: "folder of the pictures; without it, the one named as the JSON, images, or --data",
    }),
    ...streamOptions,
  },
  async create({ captions, pictures, ...settings }, container): Promise<Dataset> {
    const folder = container.get(DATA_FOLDER);
    return streamedPictures(await cocoPictures(folder, { captions, pictures }), settings, folder);
  },
});
