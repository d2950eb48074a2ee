/** Files of CIFAR-10 as its authors give them: binary records, plain or gzip, or the batches for Python. */
import { failure } from "../../../core/errors.ts";
import { decodePickle, type FileSystem, gunzip, isGzip, pickledArray } from "../../../core/io/mod.ts";
import { absent } from "./absent.ts";

export const PIXELS = 3 * 32 * 32;
/** A label byte, then the planes of red, green and blue. */
export const RECORD = 1 + PIXELS;
export const CLASSES = 10;
/** Records of an original file; a longer one is not of this format. */
const MOST_RECORDS = 10_000;
/** Bytes that a batch for Python has besides: names of files, labels as a list. */
const BESIDES = 2 ** 22;
/** Of a pickle, from protocol 2 on; no record begins with it. */
const PICKLE = 0x80;

/** Folders that the archives unpack to. */
const FOLDERS = ["cifar-10-batches-bin", "cifar-10-batches-py"];

/**
 * The paths of files: `data_batch_1.bin`, `data_batch_1.bin.gz` or `data_batch_1`, in the folder or in the one that CIFAR's
 * archive unpacks to.
 * @throws E_DATA that names what is missing
 */
export async function cifarFiles(files: FileSystem, folder: string, stems: readonly string[]): Promise<string[]> {
  const named: (string | undefined)[] = stems.map(() => undefined);
  for (const place of [folder, ...FOLDERS.map((name) => files.join(folder, name))]) {
    const there = new Set((await files.exists(place)) ? await files.list(place) : []);
    for (const [i, stem] of stems.entries()) {
      const name = [`${stem}.bin`, `${stem}.bin.gz`, stem].find((each) => there.has(each));
      if (name) named[i] ??= files.join(place, name);
    }
  }
  const missing = stems.filter((_, i) => !named[i]).map((stem) => `${stem}.bin`);
  if (missing.length > 0)
    throw failure(
      "E_DATA",
      `Cannot load cifar10 from ${folder}: ${absent(missing, stems.length)}, ` +
        `should hold ${stems.map((stem) => `${stem}.bin`).join(", ")}, each plain, with .gz, or as the batch for Python without .bin`,
      { fix: wayOut(missing) },
    );
  return named as string[];
}

/** Fewer training files where the first ones are there; else the whole set. */
function wayOut(missing: readonly string[]): string {
  const first = missing.map((stem) => Number(stem.match(/data_batch_(\d)/)?.[1] ?? 0)).filter((n) => n > 0);
  const there = Math.min(...first) - 1;
  const whole = "put the files of the binary or Python version of CIFAR-10 into the folder";
  if (missing.includes("test_batch.bin") || there < 1 || first.length === 0) return whole;
  return `${whole}, or train on the first ${there} alone with --set dataset.batches=${there}`;
}

/** Whole records with labels that are classes. Throws E_DATA. */
export async function cifarRecords(files: FileSystem, file: string): Promise<Uint8Array> {
  const stored = await files.read(file);
  const most = MOST_RECORDS * RECORD;
  const bytes = isGzip(stored) ? await gunzip(stored, file, () => most + BESIDES) : stored;
  if (bytes[0] === PICKLE) return pickledRecords(bytes, file);
  if (bytes.length === 0 || bytes.length % RECORD !== 0 || bytes.length > most)
    throw failure(
      "E_DATA",
      `Cannot use ${file}: it has ${bytes.length > most ? `more than ${most}` : bytes.length} bytes, should have ${RECORD} for each of at most ${MOST_RECORDS} images`,
      { fix: AGAIN },
    );
  for (let at = 0; at < bytes.length; at += RECORD) checkLabel(bytes[at], at / RECORD, file);
  return bytes;
}

const AGAIN = "download the binary or Python version of CIFAR-10 again";

function checkLabel(label: unknown, place: number, file: string): asserts label is number {
  if (!(Number.isInteger(label) && (label as number) >= 0 && (label as number) < CLASSES))
    throw failure(
      "E_DATA",
      `Cannot use ${file}: label ${place} is ${typeof label === "number" ? label : "no number"}, should be 0 to ${CLASSES - 1}`,
    );
}

/** A dict with `data`, bytes [N, 3072] in planes, and `labels`, a list; Python 2 had texts for keys, Python 3 may have bytes. */
async function pickledRecords(bytes: Uint8Array, file: string): Promise<Uint8Array> {
  const refuse = (why: string) => failure("E_DATA", `Cannot use ${file}: ${why}`, { fix: AGAIN });
  const batch = decodePickle(bytes, file);
  if (!(batch instanceof Map)) throw refuse("it is a pickle, but no dict with data and labels");
  const members = new Map<string, unknown>();
  for (const [key, value] of batch)
    members.set(key instanceof Uint8Array ? new TextDecoder().decode(key) : String(key), value);
  const data = await pickledArray(members.get("data"));
  const labels = members.get("labels");
  const [count] = data?.shape ?? [];
  if (data?.dtype !== "U8" || data.shape.length !== 2 || data.shape[1] !== PIXELS || !count || count > MOST_RECORDS)
    throw refuse(
      `its data are ${data ? `${data.dtype} [${data.shape.join(", ")}]` : "no array"}, should be U8 [N, ${PIXELS}] with N up to ${MOST_RECORDS}`,
    );
  if (!Array.isArray(labels) || labels.length !== count)
    throw refuse(`it has ${Array.isArray(labels) ? labels.length : "no list of"} labels, should have ${count}`);
  const records = new Uint8Array(count * RECORD);
  for (const [n, label] of labels.entries()) {
    checkLabel(label, n, file);
    records[n * RECORD] = label;
    records.set((data.data as Uint8Array).subarray(n * PIXELS, (n + 1) * PIXELS), n * RECORD + 1);
  }
  return records;
}
