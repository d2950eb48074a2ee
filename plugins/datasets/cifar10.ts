import { classLabel, DATA_FOLDER, type Dataset } from "../../core/interfaces/mod.ts";
import { boolean, definePlugin, number } from "../../core/plugin/mod.ts";
import { joined } from "../../core/tensor/mod.ts";
import { CLASSES, cifarFiles, cifarRecords, PIXELS, RECORD } from "./shared/cifarRecords.ts";
import { dataAt } from "./shared/dataPath.ts";
import { fingerprintOf } from "./shared/fingerprint.ts";
import { chooseRows, labelled } from "./shared/shards.ts";
import { sigmaDataOption } from "./shared/sigmaData.ts";

/**
 * CIFAR-10 from the original files in the data folder: data_batch_1.bin … and test_batch.bin, plain or gzip, or the batches for
 * Python, data_batch_1 … and test_batch. Samples [3, 32, 32] in [-1, 1] (u8/127.5 − 1), classes 0 … 9. Krizhevsky 2009.
 */
export const cifar10Dataset = definePlugin({
  name: "cifar10",
  kind: "dataset",
  about: "CIFAR-10 from the original files in the data folder, binary or for Python",
  options: {
    batches: number({
      default: 5,
      min: 1,
      max: 5,
      integer: true,
      about: "training files to read, from data_batch_1 on; all five have 50,000 images",
    }),
    conditional: boolean({
      default: true,
      about: "whether models are told the class; EDM has teachers of both sorts",
    }),
    sigmaData: sigmaDataOption(0.5),
  },
  async create({ batches, conditional, sigmaData }, container): Promise<Dataset> {
    const { files, path } = dataAt("cifar10", container.get(DATA_FOLDER));
    const stems = Array.from({ length: batches }, (_, i) => `data_batch_${i + 1}`);
    const parts: Uint8Array[] = [];
    for (const file of await cifarFiles(files, path, [...stems, "test_batch"]))
      parts.push(await cifarRecords(files, file));
    const held = parts.pop()!;
    const train = joined(parts);
    const size = train.length / RECORD;
    const classes = conditional ? CLASSES : 0;
    return {
      name: "cifar10",
      shape: { sample: [3, 32, 32], condition: classLabel(classes), sigmaData },
      size,
      choose: (count, random) => chooseRows("cifar10", count, size, random),
      batch: (which, random) => take(train, chooseRows("cifar10", which, size, random), classes),
      fingerprint: () => fingerprintOf("cifar10", { classes }, [train, held]),
      test() {
        const count = held.length / RECORD;
        return {
          ...take(
            held,
            Int32Array.from({ length: count }, (_, i) => i),
            classes,
          ),
          count,
        };
      },
    };
  },
});

function take(records: Uint8Array, indices: ArrayLike<number>, classes: number) {
  const x = new Float32Array(indices.length * PIXELS);
  const label = new Int32Array(indices.length);
  for (let b = 0; b < indices.length; b++) {
    const at = indices[b] * RECORD;
    label[b] = records[at];
    for (let i = 0; i < PIXELS; i++) x[b * PIXELS + i] = records[at + 1 + i] / 127.5 - 1;
  }
  return { x, condition: labelled(classes, () => label) };
}
