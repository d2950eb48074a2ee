import { failure } from "../../core/errors.ts";
import { classLabel, DATA_FOLDER, type Dataset } from "../../core/interfaces/mod.ts";
import { type FileSystem, gunzip, isGzip } from "../../core/io/mod.ts";
import { boolean, definePlugin, number } from "../../core/plugin/mod.ts";
import { fingerprintOf } from "./shared/fingerprint.ts";
import { chooseRows, labelled } from "./shared/shards.ts";

const PIXELS = 3 * 32 * 32;
/** A label byte, then the planes of red, green and blue. */
const RECORD = 1 + PIXELS;
const CLASSES = 10;
/** Records of an original file; a longer one is not of this format. */
const MOST_RECORDS = 10_000;

/**
 * CIFAR-10 from the original binary files in the data folder, plain or gzip: data_batch_1.bin … and test_batch.bin. Samples
 * [3, 32, 32] in [-1, 1] (u8/127.5 − 1), classes 0 … 9. Krizhevsky 2009.
 */
export const cifar10Dataset = definePlugin({
  name: "cifar10",
  kind: "dataset",
  about: "CIFAR-10 from the original binary files in the data folder",
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
    sigmaData: number({
      default: 0.5,
      above: 0,
      about: "standard deviation of the data as the preconditioning takes it",
    }),
  },
  async create({ batches, conditional, sigmaData }, container): Promise<Dataset> {
    const { files, path } = container.get(DATA_FOLDER);
    if (!files || path === undefined)
      throw failure("E_DATA", "Cannot load cifar10: there is no data folder, should be given with --data");
    const stems = Array.from({ length: batches }, (_, i) => `data_batch_${i + 1}.bin`);
    const paths = await findFiles(files, path, [...stems, "test_batch.bin"]);
    const parts: Uint8Array[] = [];
    for (const file of paths) parts.push(await readRecords(files, file));
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

async function findFiles(files: FileSystem, folder: string, stems: readonly string[]): Promise<string[]> {
  const there = new Set((await files.exists(folder)) ? await files.list(folder) : []);
  const named = stems.map((stem) => [stem, `${stem}.gz`].find((name) => there.has(name)));
  const missing = stems.filter((_, i) => !named[i]);
  if (missing.length)
    throw failure(
      "E_DATA",
      `Cannot load cifar10 from ${folder}: ${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} not there, ` +
        `should hold ${stems.join(", ")}, each plain or with .gz`,
      { fix: wayOut(missing) },
    );
  return named.map((name) => files.join(folder, name!));
}

/** Fewer training files where the first ones are there; else the whole set. */
function wayOut(missing: readonly string[]): string {
  const first = missing.map((stem) => Number(stem.match(/data_batch_(\d)/)?.[1] ?? 0)).filter((n) => n > 0);
  const there = Math.min(...first) - 1;
  const whole = "put the files of the binary version of CIFAR-10 into the folder";
  if (missing.includes("test_batch.bin") || there < 1 || first.length === 0) return whole;
  return `${whole}, or train on the first ${there} alone with --set dataset.batches=${there}`;
}

/** Whole records with labels that are classes. */
async function readRecords(files: FileSystem, file: string): Promise<Uint8Array> {
  const stored = await files.read(file);
  const most = MOST_RECORDS * RECORD;
  const bytes = isGzip(stored) ? await gunzip(stored, file, () => most) : stored;
  if (bytes.length === 0 || bytes.length % RECORD !== 0 || bytes.length > most)
    throw failure(
      "E_DATA",
      `Cannot use ${file}: it has ${bytes.length > most ? `more than ${most}` : bytes.length} bytes, should have ${RECORD} for each of at most ${MOST_RECORDS} images`,
      { fix: "download the binary version of CIFAR-10 again" },
    );
  for (let at = 0; at < bytes.length; at += RECORD)
    if (bytes[at] >= CLASSES)
      throw failure(
        "E_DATA",
        `Cannot use ${file}: label ${at / RECORD} is ${bytes[at]}, should be 0 to ${CLASSES - 1}`,
      );
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

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
