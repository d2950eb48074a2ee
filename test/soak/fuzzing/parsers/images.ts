/** Readers of data sets. */

import { gzipSync } from "node:zlib";
import type { DataFolder } from "../../../../core/interfaces/mod.ts";
import { gunzip, readIdx } from "../../../../core/io/mod.ts";
import type { ConfiguredPlugin } from "../../../../core/plugin/mod.ts";
import { joined } from "../../../../core/tensor/mod.ts";
import { cifar10Dataset, imagesDataset, latentsDataset, mnistDataset } from "../../../../plugins/mod.ts";
import { loadDataset } from "../../../helpers/datasets.ts";
import { idxBytes } from "../../../helpers/idx.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import { type Draw, utf8 } from "../draw.ts";
import { expect, finite, sizeOf } from "../expect.ts";
import type { FuzzedParser } from "../fuzzParser.ts";
import { DTYPES, safetensorsBytes } from "../safetensorsBytes.ts";

/** The most that a byte of deflated data stands for: a match of 258 bytes takes two bits. */
export const INFLATION = 1032;

/** A gzip member, with a name or an extra field now and then. */
function member(draw: Draw, content: Uint8Array): Uint8Array {
  const packed = new Uint8Array(gzipSync(content, { level: draw.pick([0, 1, 9]) }));
  if (draw.chance(0.8)) return packed;
  const extras: Uint8Array[] = [];
  let flags = 0;
  if (draw.chance(0.5)) {
    flags |= 4;
    const extra = draw.bytes(draw.below(6));
    extras.push(Uint8Array.of(draw.chance(0.9) ? extra.length : 255, 0), extra);
  }
  if (draw.chance(0.5)) {
    flags |= 8;
    extras.push(utf8(`name${draw.chance(0.9) ? "\0" : ""}`));
  }
  if (draw.chance(0.1)) flags |= draw.pick([16, 2, 32, 1]);
  packed[3] = flags;
  return joined([packed.subarray(0, 10), ...extras, packed.subarray(10)]);
}

/** A gzip file: one member or several, empty ones among them, with padding or something else behind. */
function gzipped(draw: Draw, content: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  const cuts = draw.chance(0.5) ? [] : draw.list(3, () => draw.below(content.length + 1)).sort((a, b) => a - b);
  let from = 0;
  for (const to of [...cuts, content.length]) {
    parts.push(member(draw, content.subarray(from, to)));
    from = to;
  }
  if (draw.chance(0.2)) parts.splice(draw.below(parts.length + 1), 0, member(draw, new Uint8Array(0)));
  if (draw.chance(0.2)) parts.push(new Uint8Array(draw.between(1, 20)));
  if (draw.chance(0.05)) parts.push(draw.bytes(draw.between(1, 20)));
  return draw.damaged(joined(parts), 0.7);
}

const gzip: FuzzedParser = {
  name: "gzip",
  factor: 8 * INFLATION,
  make(draw) {
    const content = draw.chance(0.05) ? new Uint8Array(draw.between(1, 300_000)) : draw.bytes(draw.below(400));
    const bytes = gzipped(draw, content);
    return { size: bytes.length, run: () => gunzip(bytes, "x.gz", () => 200_000) };
  },
};

function idxFile(draw: Draw, shape: readonly number[], below = 256): Uint8Array {
  const count = shape.reduce((product, size) => product * size, 1);
  const bytes = idxBytes(
    shape,
    Uint8Array.from({ length: count }, () => draw.below(below)),
  );
  if (draw.chance(0.1)) bytes[draw.below(16)] = draw.below(256);
  const file = draw.damaged(bytes, 0.7);
  return draw.chance(0.6) ? gzipped(draw, file) : file;
}

const idx: FuzzedParser = {
  name: "IDX",
  factor: 8 * INFLATION,
  make(draw) {
    const shape = draw.chance(0.7) ? [draw.between(1, 4), 3, 5] : draw.list(4, () => draw.below(6));
    const bytes = idxFile(draw, shape);
    return {
      size: bytes.length,
      async run() {
        const { shape, data } = await readIdx(bytes, 3, "x-idx3-ubyte");
        expect(data.length === shape[0] * shape[1] * shape[2], "another size than its shape");
      },
    };
  },
};

/** A data set out of a folder of these files: loaded, and a batch taken. */
export async function use(plugin: ConfiguredPlugin, contents: Record<string, Uint8Array>): Promise<void> {
  const folder: DataFolder = { path: "data", files: memoryFiles(inFolder(contents)) };
  const set = await loadDataset(plugin, folder);
  expect(Number.isInteger(set.size) && set.size > 0, "a data set without samples");
  const { x, condition } = await set.batch([0, set.size - 1], () => 0.5);
  finite(x, "x");
  for (const values of [...Object.values(condition), ...Object.values(set.empty ?? {})]) finite(values, "conditions");
  const texts = (await set.captions?.([set.size - 1])) ?? [];
  for (const text of texts) expect(typeof text === "string", "a caption that is no text");
  await set.dispose?.();
}
const inFolder = (contents: Record<string, Uint8Array>) =>
  Object.fromEntries(Object.entries(contents).map(([name, bytes]) => [`data/${name}`, bytes]));
const mnist: FuzzedParser = {
  name: "MNIST folder",
  factor: 8 * INFLATION,
  make(draw) {
    const [count, held] = [draw.between(1, 2), 1];
    const side = draw.chance(0.95) ? 28 : draw.between(1, 40);
    const labels = () => (draw.chance(0.95) ? 10 : 256);
    const contents = {
      "train-images-idx3-ubyte": idxFile(draw, [count, side, side], 4),
      "train-labels-idx1-ubyte.gz": idxFile(draw, [count], labels()),
      "t10k-images-idx3-ubyte": idxBytes([held, 28, 28], new Uint8Array(784)),
      "t10k-labels.idx1-ubyte": idxFile(draw, [held], labels()),
    };
    return { size: sizeOf(contents), run: () => use(mnistDataset({ resolution: draw.pick([16, 28, 32]) }), contents) };
  },
};

const RECORD = 3073;
const cifar10: FuzzedParser = {
  name: "CIFAR-10 folder",
  factor: 8 * INFLATION,
  make(draw) {
    const records = (count: number) => {
      const bytes = new Uint8Array(RECORD * count);
      for (let at = 0; at < bytes.length; at += RECORD) bytes[at] = draw.below(draw.chance(0.95) ? 10 : 256);
      return draw.chance(0.8) ? bytes : draw.damaged(bytes, 0);
    };
    const file = () => (draw.chance(0.5) ? gzipped(draw, records(draw.below(3))) : records(draw.between(1, 2)));
    const contents = { "data_batch_1.bin": file(), "test_batch.bin.gz": file() };
    return { size: sizeOf(contents), run: () => use(cifar10Dataset({ batches: 1 }), contents) };
  },
};

const images: FuzzedParser = {
  name: "images folder",
  factor: 40,
  make(draw) {
    const shape = [2, draw.pick([1, 3]), draw.between(1, 4), draw.between(1, 4)];
    const dtype = draw.pick(["U8", "F32", "F16", "BF16"] as const);
    const label = draw.chance(0.8) ? draw.pick(["I64", "U8", "I32"] as const) : draw.pick(DTYPES);
    const shard = (rows: number) =>
      safetensorsBytes(draw, [
        { name: "x", dtype, shape: [rows, ...shape.slice(1)] },
        { name: "label", dtype: label, shape: [rows], below: 10 },
        ...(draw.chance(0.3) ? [{ name: "unused", dtype: draw.pick(DTYPES), shape: [3] }] : []),
      ]);
    const contents: Record<string, Uint8Array> = { "a.safetensors": shard(2) };
    if (draw.chance(0.4)) contents["b.safetensors"] = shard(draw.below(3));
    const classes = draw.pick([0, 10]);
    return { size: sizeOf(contents), run: () => use(imagesDataset({ classes }), contents) };
  },
};

const latents: FuzzedParser = {
  name: "latents folder",
  factor: 40,
  make(draw) {
    const float = () => draw.pick(["F32", "F16", "BF16"] as const);
    const large = draw.chance(0.4);
    const shard = safetensorsBytes(draw, [
      { name: "x", dtype: float(), shape: [2, 4, 2, 2] },
      { name: "text", dtype: float(), shape: [2, 3, 4] },
      ...(large
        ? [
            { name: "pooled", dtype: float(), shape: [2, 5] },
            { name: "timeIds", dtype: draw.pick(["I64", "F32"] as const), shape: [2, 6] },
          ]
        : []),
    ]);
    const contents: Record<string, Uint8Array> = { "a.safetensors": shard };
    if (draw.chance(0.7))
      contents["empty.safetensors"] = safetensorsBytes(draw, [
        { name: "unconditional.text", dtype: float(), shape: [3, 4] },
        ...(large ? [{ name: "unconditional.pooled", dtype: float(), shape: [5] }] : []),
      ]);
    const unconditional = draw.pick(["stored", "zero"] as const);
    return { size: sizeOf(contents), run: () => use(latentsDataset({ unconditional }), contents) };
  },
};

export const imageParsers: readonly FuzzedParser[] = [gzip, idx, mnist, cifar10, images, latents];
