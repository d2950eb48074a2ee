import { existsSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { files } from "../../../backends/host/files.ts";
import { classLabel } from "../../../core/interfaces/mod.ts";
import { joined } from "../../../core/tensor/mod.ts";
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

/** A batch as Python 2 has pickled it (protocol 2): the operations of the original files. */
function pickled(labels: readonly (number | string)[], width = 3072): Uint8Array {
  const le = (value: number, bytes: number) => Uint8Array.from({ length: bytes }, (_, i) => (value >>> (8 * i)) & 255);
  const short = (text: string) => joined([Uint8Array.of(0x55, text.length), latin1(text)]);
  const latin1 = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const data = Uint8Array.from(
    { length: labels.length * width },
    (_, i) => (Math.floor(i / width) + (i % width)) & 255,
  );
  const whole = (value: number) => joined([Uint8Array.of(0x4a), le(value, 4)]);
  return joined([
    latin1("\x80\x02}q\x01("),
    short("batch_label"),
    short("training batch 1 of 5"),
    short("labels"),
    latin1("]("),
    ...labels.map((label) => (typeof label === "number" ? Uint8Array.of(0x4b, label) : short(label))),
    latin1("e"),
    short("data"),
    latin1("cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\x01b\x87R(K\x01"),
    whole(labels.length),
    whole(width),
    latin1("\x86cnumpy\ndtype\nU\x02u1K\0K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89T"),
    le(data.length, 4),
    data,
    latin1("tbu."),
  ]);
}

test("the batches for Python have the same images, also in the folder that their archive unpacks to", async () => {
  const content = { data_batch_1: pickled([3, 4]), test_batch: pickled([5]) };
  const below = Object.fromEntries(
    Object.entries(content).map(([name, bytes]) => [`cifar-10-batches-py/${name}`, bytes]),
  );
  const binary = { "data_batch_1.bin": records(3, 4), "test_batch.bin": records(5) };
  const take = async (folder: Record<string, Uint8Array>) => {
    const set = await loadDataset(cifar10Dataset({ batches: 1 }), dataFolder(folder));
    return [await set.batch([1, 0], none), await set.test!()];
  };
  const expected = await take(binary);
  for (const folder of [content, below, { data_batch_1: content.data_batch_1, "test_batch.bin": records(5) }])
    assert.equal(await take(folder), expected);
  const refused: [batch: Uint8Array, says: RegExp][] = [
    [pickled([3, 10]), /data_batch_1: label 1 is 10, should be 0 to 9$/],
    [pickled([3, "cat"]), /label 1 is no number/],
    [pickled([3], 12), /its data are U8 \[1, 12\], should be U8 \[N, 3072\]/],
    [pickled([3]).slice(0, 2000), /it is cut short \(byte \d+ of its pickle\)/],
    [Uint8Array.of(0x80, 2, 0x4b, 1, 0x2e), /a pickle, but no dict with data and labels$/],
    [new TextEncoder().encode("\x80\x02cos\nsystem\n.".replace("\x80", "")), /should have 3073 for each/],
  ];
  for (const [batch, says] of refused) {
    const folder = dataFolder({ data_batch_1: batch, test_batch: content.test_batch });
    assert.match((await refusedDataset(cifar10Dataset({ batches: 1 }), folder)).message, says);
  }
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
