/** Pictures in tar archives ("shards"), as WebDataset keeps them: the files of a sample have one name and follow each other. */
import { failure, some } from "../../../core/errors.ts";
import type { DataFolder } from "../../../core/interfaces/mod.ts";
import {
  type ByteSource,
  type FileSystem,
  fileBytes,
  inWindows,
  isGzip,
  type TarEntry,
  tarEntries,
} from "../../../core/io/mod.ts";
import { parseJson } from "../../../core/json/mod.ts";
import { dataAt, namesIn } from "./dataPath.ts";
import { isPicture, isSystemFile, notesOf } from "./pictureNames.ts";
import { type FoundPicture, type PictureSet, pictureSet } from "./pictureSet.ts";
import { expandBraces } from "./shardNames.ts";
import type { Skipped } from "./skipped.ts";

/** The dataset, for messages. */
const NAME = "webdataset";

/** Which shards, and how their labels are taken: the options of the dataset. */
export interface ShardsOptions {
  /** A name or pattern in the data folder; empty where that is a folder of shards, a shard, or a pattern with braces itself. */
  readonly shards?: string;
  readonly classes?: number;
}

/** The key of a sample and the kind of a file: the name up to the first dot behind the last slash, and what follows it. */
const ENTRY = /^(?:\.\/)?((?:.*\/)?[^./][^./]*)\.([^/]+)$/;

/** The files of a sample. */
interface Sample {
  readonly key: string;
  readonly files: Map<string, TarEntry>;
}

/**
 * The pictures of all shards, in order of their names and places. Of a sample is read: a picture (.png, .jpg, .jpeg, .webp), its
 * class (.cls, digits) and its caption (.txt, or the member `caption` of .json).
 * @throws E_DATA
 */
export async function shardPictures(
  folder: DataFolder,
  { shards: pattern = "", classes }: ShardsOptions,
): Promise<PictureSet> {
  const { files, path: at } = dataAt(NAME, folder);
  const path = pattern === "" ? at : files.join(at, pattern);
  const shards = await shardsAt(files, path);
  const found: FoundPicture[] = [];
  const bad: Skipped[] = [];
  const others = new Map<string, number>();
  let isJsonCaption: boolean | undefined;
  for (const [i, shard] of shards.entries()) {
    const source = await fileBytes(files, shard);
    if (isGzip(await source.read(0, Math.min(2, source.size))))
      throw failure(
        "E_DATA",
        `Cannot read ${shard}: it is packed by gzip, in which no entry can be read by its place`,
        {
          fix: "unpack it to a plain .tar: gunzip FILE",
        },
      );
    const keys = new Set<string>();
    const windows = inWindows(source);
    for await (const sample of samplesOf(source, windows)) {
      const json = sample.files.get("json");
      if (json) isJsonCaption ??= await hasCaption(json, windows);
      if (!isJsonCaption) sample.files.delete("json");
      const picture = await pictureOf(sample, source, windows, classes);
      if (keys.has(sample.key)) bad.push({ path: placeOf(source, sample), why: "its shard has that sample twice" });
      else if ("why" in picture) bad.push(picture);
      else found.push(picture);
      keys.add(sample.key);
      for (const kind of sample.files.keys())
        if (!(isPicture(`x.${kind}`) || ["cls", "txt", "json"].includes(kind)))
          others.set(`.${kind}`, (others.get(`.${kind}`) ?? 0) + 1);
    }
    folder.progress?.(i + 1, shards.length);
  }
  const notes = [`${shards.length} ${shards.length === 1 ? "shard" : "shards"}`, ...notesOf(others)];
  return pictureSet({ name: NAME, from: path, found, bad, classes, notes });
}

const placeOf = ({ name }: ByteSource, { key }: Sample): string => `${name}, sample ${JSON.stringify(key)}`;

/** The shards that a path means, in order of their names. */
async function shardsAt(files: FileSystem, path: string): Promise<string[]> {
  const isPattern = /\{.*\}/.test(path) && !(await files.exists(path));
  if (!isPattern) {
    const names = await namesIn(NAME, files, path);
    if (!names) return [path];
    const tars = names.filter((each) => each.endsWith(".tar") && !each.startsWith("."));
    if (tars.length > 0) return tars.map((each) => files.join(path, each));
    const packed = names.filter((each) => /\.(tar\.gz|tgz)$/.test(each));
    throw failure(
      "E_DATA",
      `Cannot load ${NAME} from ${path}: it holds no .tar files${packed.length > 0 ? `, but ${some(packed)}` : ""}`,
      { fix: packed.length > 0 ? "unpack them to plain .tar files: gunzip *.tar.gz" : "give the folder of the shards" },
    );
  }
  const shards = expandBraces(path, NAME);
  const missing: string[] = [];
  for (const shard of shards) if (!(await files.exists(shard))) missing.push(shard);
  if (missing.length > 0)
    throw failure(
      "E_DATA",
      `Cannot load ${NAME} from ${path}: ${missing.length} of ${shards.length} shards are not there (${some(missing, 3)})`,
      { fix: "download them, or change the numbers in braces" },
    );
  return shards;
}

/** Samples of a shard: files with one key that follow each other. */
async function* samplesOf(source: ByteSource, windows: ByteSource): AsyncGenerator<Sample> {
  let sample: Sample | undefined;
  for await (const entry of tarEntries(source, windows)) {
    const [, key, ending] = entry.name.match(ENTRY) ?? [];
    if (key === undefined || isSystemFile(entry.name)) continue;
    if (sample && sample.key !== key) yield sample;
    if (sample?.key !== key) sample = { key, files: new Map() };
    const kind = ending.toLowerCase();
    if (sample.files.has(kind))
      throw failure("E_DATA", `Cannot use ${source.name}: it has two entries ${JSON.stringify(entry.name)} in a row`, {
        fix: "write the shard again",
      });
    sample.files.set(kind, entry);
  }
  if (sample) yield sample;
}

/** Whether the JSON of the first sample has a caption: then those of all should. */
async function hasCaption(json: TarEntry, windows: ByteSource): Promise<boolean> {
  try {
    const value = parseJson(new TextDecoder().decode(await json.read(windows))) as { caption?: unknown } | null;
    return typeof value?.caption === "string";
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** Digits of a class, and what stands around them. */
const LONGEST_CLASS = 32;

/** The picture of a sample, or why it has none. */
async function pictureOf(
  sample: Sample,
  source: ByteSource,
  windows: ByteSource,
  classes?: number,
): Promise<FoundPicture | Skipped> {
  const { files } = sample;
  const path = placeOf(source, sample);
  const pictures = [...files.keys()].filter((kind) => isPicture(`x.${kind}`));
  if (pictures.length !== 1)
    return {
      path,
      why: `it has ${pictures.length === 0 ? `no picture, only ${[...files.keys()].join(", ")}` : `${pictures.length} pictures (${pictures.join(", ")})`}, should have one`,
    };
  const cls = classes === 0 ? undefined : files.get("cls");
  let label: number | string | undefined;
  if (cls) {
    const text = cls.size <= LONGEST_CLASS ? new TextDecoder().decode(await cls.read(windows)).trim() : "";
    label = /^\d+$/.test(text) ? Number(text) : `its .cls is ${JSON.stringify(text)}, should be the digits of a class`;
  }
  return { file: files.get(pictures[0])!, archive: source, label, caption: files.get("txt") ?? files.get("json") };
}
