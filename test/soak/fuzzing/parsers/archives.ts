/** Readers of zip archives, and of NumPy's arrays in them. */
import { bytesOf, decodeNpy, openNpz, openZip, type StoredTensor } from "../../../../core/io/mod.ts";
import { readStatistics } from "../../../../plugins/metrics/fid.ts";
import { npzDataset } from "../../../../plugins/mod.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import type { Draw } from "../draw.ts";
import { expect, finite } from "../expect.ts";
import type { FuzzedParser } from "../fuzzParser.ts";
import { NPY_TYPES, npyBytes } from "../npyBytes.ts";
import { zipBytes } from "../zipBytes.ts";
import { INFLATION, use } from "./images.ts";

/** Content that is packed, and the copy of it that is checked; the directory besides. */
const FACTOR = 3 * INFLATION;

const zip: FuzzedParser = {
  name: "zip",
  factor: FACTOR,
  slow: true,
  make(draw) {
    const files: Record<string, Uint8Array> = {};
    for (let i = draw.below(4); i > 0; i--)
      files[draw.text(["a", "b/c", "d/", "data.pkl"], 0.1)] = draw.chance(0.1)
        ? new Uint8Array(draw.pick([1000, 100_000]))
        : draw.bytes(draw.below(60));
    const bytes = zipBytes(draw, files);
    return {
      size: bytes.length,
      async run() {
        const entries = await openZip(bytesOf(bytes, "x.zip"));
        expect(Object.getPrototypeOf(entries) === null, "the record of entries has a prototype");
        for (const entry of Object.values(entries))
          expect((await entry.read()).length === entry.size, `${entry.name} has another size than it says`);
      },
    };
  },
};

/** Sizes are whole, their product is the count, and so many numbers are there. */
export function checkArray({ shape, data }: StoredTensor, name: string): void {
  for (const size of shape) expect(Number.isSafeInteger(size) && size >= 0, `${name} has size ${size}`);
  expect(shape.reduce((count, size) => count * size, 1) === data.length, `${name} has another size than its shape`);
}

const anyShape = (draw: Draw) => draw.list(4, () => draw.below(4));

const npy: FuzzedParser = {
  name: "npy",
  // The numbers, and their order turned round.
  factor: 4,
  make(draw) {
    const bytes = npyBytes(draw, draw.pick(NPY_TYPES), anyShape(draw), 0.3);
    return { size: bytes.length, run: () => checkArray(decodeNpy(bytes, "x.npy"), "x") };
  },
};

const npz: FuzzedParser = {
  name: "npz",
  factor: 4 * INFLATION,
  slow: true,
  make(draw) {
    const files: Record<string, Uint8Array> = {};
    for (let i = draw.below(4); i > 0; i--)
      files[draw.text(["arr_0.npy", "mu.npy", "notes.txt", "__proto__.npy"], 0.1)] = npyBytes(
        draw,
        draw.pick(NPY_TYPES),
        anyShape(draw),
        0.95,
      );
    const bytes = zipBytes(draw, files, 0.8);
    return {
      size: bytes.length,
      async run() {
        const arrays = await openNpz(bytesOf(bytes, "x.npz"));
        for (const [name, entry] of Object.entries(arrays)) checkArray(await entry.read(), name);
      },
    };
  },
};

const dataset: FuzzedParser = {
  name: "npz dataset",
  factor: 40 * INFLATION,
  slow: true,
  make(draw) {
    const count = draw.between(1, 4);
    const shape = [count, draw.between(draw.chance(0.95) ? 1 : 0, 4), draw.between(1, 4), draw.pick([1, 3, 3, 2])];
    const classes = draw.pick([0, 256]);
    const files = {
      "arr_0.npy": npyBytes(draw, draw.chance(0.95) ? "|u1" : draw.pick(NPY_TYPES), shape, 0.9),
      "arr_1.npy": npyBytes(draw, draw.chance(0.5) ? "<i8" : draw.pick(NPY_TYPES), [count], 0.9),
    };
    const contents = { "a.npz": zipBytes(draw, files, 0.85) };
    return { size: contents["a.npz"].length, run: () => use(npzDataset({ classes }), contents) };
  },
};

const statistics: FuzzedParser = {
  name: "statistics of a FID",
  factor: 12 * INFLATION,
  slow: true,
  make(draw) {
    const D = draw.between(1, 3);
    const kind = () => (draw.chance(0.8) ? "<f8" : draw.pick(NPY_TYPES));
    const sigma = Array.from({ length: D * D }, (_, i) => (i % (D + 1) === 0 ? 2 : 0.5));
    const files = {
      "mu.npy": npyBytes(draw, kind(), [D], 0.85),
      "sigma.npy": npyBytes(draw, kind(), [D, D], 0.85, sigma),
    };
    const bytes = zipBytes(draw, files, 0.85);
    const folder = { files: memoryFiles({ "x.npz": bytes }), path: "." };
    return {
      size: bytes.length,
      async run() {
        const { mean, covariance } = await readStatistics(folder, "x.npz", D);
        finite(joinedNumbers(mean, covariance), "statistics");
        expect(mean.length === D && covariance.length === D * D, "moments of another size");
      },
    };
  },
};
const joinedNumbers = (...lists: ArrayLike<number>[]) => lists.flatMap((list) => Array.from(list));

export const archiveParsers: readonly FuzzedParser[] = [zip, npy, npz, dataset, statistics];
