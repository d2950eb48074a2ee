import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DATA_FOLDER, DATASET_SOURCE, type DataFolder } from "../../../core/interfaces/mod.ts";
import { checkPlugin } from "../../../core/plugin/mod.ts";
import { hostRandom } from "../../../core/random/hostRandom.ts";
import { mnistDataset } from "../../../plugins/datasets/mnistPlugin.ts";
import { idxBytes } from "../../helpers/idx.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { compose } from "../support.ts";

const test = suite("plugins/datasets/mnistPlugin");

const pixels = (count: number) => Uint8Array.from({ length: count * 784 }, (_, i) => i & 0xff);
const files = memoryFiles({
  "mnist/train-images-idx3-ubyte": idxBytes([3, 28, 28], pixels(3)),
  "mnist/train-labels-idx1-ubyte": idxBytes([3], Uint8Array.of(7, 0, 9)),
  "mnist/t10k-images-idx3-ubyte": idxBytes([2, 28, 28], pixels(2)),
  "mnist/t10k-labels-idx1-ubyte": idxBytes([2], Uint8Array.of(1, 2)),
});

function load(folder: DataFolder, options?: Parameters<typeof mnistDataset>[0]) {
  const container = compose({ sample: [], classes: 0, sigmaData: 1 }, mnistDataset(options));
  return container.value(DATA_FOLDER, folder, "the test").get(DATASET_SOURCE);
}

test("is a well-formed plugin", () => checkPlugin(mnistDataset, { resolution: 28 }));

test("loads the folder, and says what a sample looks like", async () => {
  const { name, shape, size, batch, test: heldOut } = await load({ files, path: "mnist" });
  assert.is(name, "mnist");
  assert.equal(shape, { sample: [1, 16, 16], classes: 10, sigmaData: 0.5 });
  assert.is(size, 3);
  assert.is((await batch(4, hostRandom(0, 0, 0))).x.length, 4 * 256);
  assert.is(heldOut!().count, 2);
});

test("without a folder it says how to give one", async () => {
  const message = await load({}).catch((error: Error) => error.message);
  assert.match(message as string, /^Cannot load mnist: there is no data folder.*--data$/);
});

test.run();
