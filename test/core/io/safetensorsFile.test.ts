import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  encodeSafetensors,
  openSafetensors,
  readSafetensors,
  type StoredTensor,
  type TensorSource,
  writeSafetensors,
} from "../../../core/io/mod.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";

const test = suite("core/io/safetensorsFile");

const tensors: Record<string, StoredTensor> = {
  a: { dtype: "F64", shape: [1], data: Float64Array.of(0.1) },
  b: { dtype: "F32", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
  c: { dtype: "I32", shape: [0], data: new Int32Array(0) },
  d: { dtype: "U8", shape: [3], data: Uint8Array.of(7, 8, 9) },
};
const sources = Object.entries(tensors).map(([name, { dtype, shape, data }]): TensorSource => {
  return { name, dtype, shape, read: async () => data };
});

test("writeSafetensors: the bytes of encodeSafetensors, a tensor at a time", async () => {
  const files = memoryFiles();
  const bytes = await writeSafetensors(files, "x", sources, { note: "n" });
  assert.equal(files.contents.get("x"), encodeSafetensors(tensors, { note: "n" }));
  assert.is(bytes, files.contents.get("x")!.length);
});

test("readSafetensors: gives them back; openSafetensors reads no tensor before it is asked to", async () => {
  const files = memoryFiles({ x: encodeSafetensors(tensors, { note: "n" }) });
  const read = await readSafetensors(files, "x");
  assert.equal({ ...read.tensors }, tensors);
  assert.equal({ ...read.metadata }, { note: "n" });
  const ranges: number[] = [];
  const counting = {
    ...files,
    read: () => Promise.reject(new Error("whole")),
    readRange: (path: string, offset: number, length: number) => {
      ranges.push(length);
      return files.readRange(path, offset, length);
    },
  };
  const open = await openSafetensors(counting, "x");
  assert.is(ranges.length, 2);
  assert.equal((await open.tensors.b.read()).data, tensors.b.data);
  assert.equal(ranges.slice(2), [24]);
});

test("writeSafetensors: refuses numbers that do not fit, and what was there stays", async () => {
  const files = memoryFiles({ x: "old" });
  for (const data of [new Float32Array(5), new Int32Array(6)]) {
    const wrong = [{ ...sources[1], read: () => data as Float32Array }];
    const error = await writeSafetensors(files, "x", wrong).catch((reason) => reason);
    assert.is(error.code, "E_CHECKPOINT");
  }
  assert.is(new TextDecoder().decode(files.contents.get("x")), "old");
});

test("openSafetensors: damaged headers and cut files are refused as decodeSafetensors refuses them", async () => {
  const bytes = encodeSafetensors(tensors);
  for (const length of [0, 7, 8, 40, bytes.length - 1]) {
    const error = await openSafetensors(memoryFiles({ x: bytes.slice(0, length) }), "x").catch((reason) => reason);
    assert.is(error.code, "E_CHECKPOINT", `${length} bytes`);
  }
  const forged = bytes.slice();
  new DataView(forged.buffer).setBigUint64(0, 2n ** 63n, true);
  const error = await openSafetensors(memoryFiles({ x: forged }), "x").catch((reason) => reason);
  assert.match(error.message, /its header is said to have 9223372036854775808 bytes/);
});

test.run();
