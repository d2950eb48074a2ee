import { failure } from "../../core/errors.ts";
import { DATA_FOLDER, DATASET_SOURCE } from "../../core/interfaces/mod.ts";
import { choice, definePlugin, number } from "../../core/plugin/mod.ts";
import { loadMnist } from "./mnist.ts";

/**
 * Handwritten digits from the original IDX files in the data folder, plain or gzip. Samples [1, R, R] in [-1, 1], ten
 * classes. At 16 pixels the training images have standard deviation 0.5025. LeCun et al. 1998.
 */
export const mnistDataset = definePlugin({
  name: "mnist",
  kind: "dataset",
  token: DATASET_SOURCE,
  about: "MNIST digits from the four IDX files in the data folder",
  options: {
    resolution: choice([16, 28, 32], {
      default: 16,
      about: "side in pixels: 28 as stored, 32 with a border, 16 that halved",
    }),
    sigmaData: number({
      default: 0.5,
      above: 0,
      about: "standard deviation of the data as the preconditioning takes it",
    }),
  },
  async create({ resolution, sigmaData }, container) {
    const { files, path } = container.get(DATA_FOLDER);
    if (!files || path === undefined)
      throw failure(
        "E_DATA",
        "Cannot load mnist: there is no data folder, should be given with --data",
      );
    const { sampleShape, classes, ...data } = await loadMnist(files, path, { resolution });
    return { ...data, shape: { sample: sampleShape, classes, sigmaData } };
  },
});
