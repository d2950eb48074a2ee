/** Readers of Python's pickles: files of PyTorch, new and old, and networks that were pickled whole. */
import { decodeTorch } from "../../../../core/io/mod.ts";
import type { Draw } from "../draw.ts";
import { expect } from "../expect.ts";
import type { FuzzedParser } from "../fuzzParser.ts";
import { PickleDraw } from "../pickleBytes.ts";
import { zipBytes } from "../zipBytes.ts";
import { checkArray } from "./archives.ts";

/** An expanded tensor says its numbers so many times. */
const REPEATS = 4096;
/** How often a part of a file differs from what should be there. */
const oddness = (draw: Draw) => draw.pick([0, 0, 0.01, 0.05, 0.3]);

async function check(bytes: Uint8Array): Promise<void> {
  const { tensors, values, networks } = await decodeTorch(bytes, "x.pt");
  for (const record of [tensors, values, networks])
    expect(Object.getPrototypeOf(record) === null, "a record has a prototype");
  for (const [name, value] of Object.entries(values))
    expect(value === null || ["number", "bigint", "string", "boolean"].includes(typeof value), `${name} is no value`);
  for (const { className, initKwargs } of Object.values(networks)) {
    expect(typeof className === "string", "a class without a name");
    // Who looks at them comes to an end.
    JSON.stringify(initKwargs, (_, value) => (typeof value === "bigint" ? String(value) : value));
  }
  for (const [name, tensor] of Object.entries(tensors)) {
    const read = await tensor.read();
    expect(read.dtype === tensor.dtype && read.shape.join() === tensor.shape.join(), `${name} is another than it says`);
    checkArray(read, name);
  }
}

const zipped: FuzzedParser = {
  name: "PyTorch file",
  factor: 4 * REPEATS,
  // A path for each of the values, which share their parts.
  heapFactor: 4000,
  slow: true,
  make(draw) {
    const pickle = new PickleDraw(draw, oddness(draw));
    const root = pickle.root(draw.chance(0.1));
    const files: Record<string, Uint8Array> = { "m/data.pkl": draw.damaged(pickle.pickle(root), 0.8) };
    if (draw.chance(0.1)) files["m/byteorder"] = new TextEncoder().encode(draw.pick(["little", "big", "little\n"]));
    for (const { key, bytes } of pickle.storages) if (draw.chance(0.99)) files[`m/data/${key}`] = bytes;
    const bytes = zipBytes(draw, files, 0.9);
    return { size: bytes.length, run: () => check(bytes) };
  },
};

const legacy: FuzzedParser = {
  name: "PyTorch file before zip",
  factor: 4 * REPEATS,
  heapFactor: 4000,
  make(draw) {
    const pickle = new PickleDraw(draw, oddness(draw));
    const bytes = draw.damaged(pickle.legacy(pickle.root(false)), 0.7);
    return { size: bytes.length, run: () => check(bytes) };
  },
};

const plain: FuzzedParser = {
  name: "pickle with networks",
  factor: 4 * REPEATS,
  heapFactor: 4000,
  make(draw) {
    const pickle = new PickleDraw(draw, oddness(draw));
    const bytes = draw.damaged(pickle.pickle(pickle.root()), 0.7);
    return { size: bytes.length, run: () => check(bytes) };
  },
};

export const pickleParsers: readonly FuzzedParser[] = [zipped, legacy, plain];
