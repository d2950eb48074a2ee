import { existsSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { files } from "../../../backends/host/files.ts";
import { classLabel } from "../../../core/interfaces/mod.ts";
import { cifar10Dataset } from "../../../plugins/datasets/cifar10.ts";
import { dataFolder, loadDataset, refusedDataset } from "../../helpers/datasets.ts";

const test = suite("plugins/datasets/cifar10");

/** Records of these labels; pixel i of record n is (n + i) mod 256. */
const records = (...labels: number[]) =>
  Uint8Array.from(labels.flatMap((label, n) => [label, ...Array.from({ length: 3072 }, (_, i) => (n + i) & 255)]));
const none = () => 0;

test("records of all training files in turn, plain or gzip; the test file is held out", async () => {
  const folder = dataFolder({
    "data_batch_1.bin": records(3, 4),
    "data_batch_2.bin.gz": new Uint8Array(gzipSync(records(9))),
    "test_batch.bin": records(5, 6),
  });
  const data = await loadDataset(cifar10Dataset({ batches: 2 }), folder);
  assert.equal(data.shape, { sample: [3, 32, 32], condition: classLabel(10), sigmaData: 0.5 });
  assert.is(data.size, 3);
  const { x, condition } = await data.batch([2, 1], none);
  assert.equal([...condition.label], [9, 4]);
  assert.equal([...x.subarray(0, 2)], [-1, Math.fround(1 / 127.5 - 1)]);
  assert.is(x[3072], Math.fround(1 / 127.5 - 1));
  const { count, condition: held } = await data.test!();
  assert.equal([count, ...held.label], [2, 5, 6]);
  const plain = await loadDataset(cifar10Dataset({ batches: 2, conditional: false }), folder);
  assert.equal(plain.shape.condition, {});
  assert.equal((await plain.batch([2], none)).condition, {});
});

test("missing, truncated and foreign files are refused by name", async () => {
  const load = (content: Record<string, Uint8Array>) =>
    refusedDataset(cifar10Dataset({ batches: 1 }), dataFolder(content));
  const missing = await refusedDataset(cifar10Dataset(), dataFolder({ "data_batch_1.bin": records(1) }));
  assert.is(missing.code, "E_DATA");
  assert.match(
    missing.message,
    /from data: data_batch_2\.bin, .*test_batch\.bin are not there, should hold data_batch_1\.bin, /,
  );
  const whole = records(1);
  const cut = await load({ "data_batch_1.bin": whole.slice(0, -1), "test_batch.bin": whole });
  assert.match(cut.message, /data_batch_1\.bin: it has 3072 bytes, should have 3073 for each/);
  const label = await load({ "data_batch_1.bin": records(0, 10), "test_batch.bin": whole });
  assert.match(label.message, /data_batch_1\.bin: label 1 is 10, should be 0 to 9/);
  const stream = new Uint8Array(gzipSync(whole)).slice(0, 20);
  const broken = await load({ "data_batch_1.bin.gz": stream, "test_batch.bin": whole });
  assert.match(broken.message, /the gzip stream is damaged/);
  assert.match((await refusedDataset(cifar10Dataset(), {})).message, /no data folder.*--data$/);
});

const folder = "../shared/data/cifar10";
if (existsSync(folder))
  test("the part of the real data: 500 training images a class", async () => {
    const data = await loadDataset(cifar10Dataset({ batches: 1 }), { files, path: folder });
    const { condition } = await data.batch(
      Int32Array.from({ length: data.size }, (_, i) => i),
      none,
    );
    assert.is(data.size, 5000);
    const label = [...condition.label];
    for (let c = 0; c < 10; c++) assert.is(label.filter((each) => each === c).length, 500);
  });
else console.log("cifar10: no ../shared/data, its own files are not read");

test.run();
