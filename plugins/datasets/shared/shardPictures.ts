/** Pictures in tar archives ("shards"), as WebDataset keeps them: the files of a sample have one name and follow each other. */
import { failure } from "../../../core/errors.ts";
import {
  type ByteSource,
  type FileSystem,
  fileBytes,
  isGzip,
  type TarEntry,
  tarEntries,
} from "../../../core/io/mod.ts";
import { parseJson } from "../../../core/json/mod.ts";
import { namesIn } from "./dataPath.ts";
import { isPicture, isSystemFile, notesOf } from "./pictureNames.ts";
import { type FoundPicture, type PictureSet, pictureSet } from "./pictureSet.ts";
import { expandBraces } from "./shardNames.ts";
import { type Skipped, some } from "./skipped.ts";

/** Which shards, and how their labels are taken. */
export interface ShardsRequest {
  readonly name: string;
  /** A folder with shards, one shard, or a pattern of their names with braces. */
  readonly path: string;
  readonly classes?: number;
  /** Told how many shards of how many are looked through. */
  readonly progress?: (done: number, total: number) => void;
}

/** The key of a sample and the kind of a file: the name up to the first dot behind the last slash, and what follows it. */
const NAME = /^(?:\.\/)?((?:.*\/)?[^./][^./]*)\.([^/]+)$/;

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
  files: FileSystem,
  { name, path, classes, progress }: ShardsRequest,
): Promise<PictureSet> {
  const shards = await shardsAt(name, files, path);
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
    for await (const sample of samplesOf(source)) {
      const json = sample.files.get("json");
      if (json) isJsonCaption ??= await hasCaption(json);
      if (!isJsonCaption) sample.files.delete("json");
      const picture = await pictureOf(sample, source, classes);
      if (keys.has(sample.key)) bad.push({ path: at(source, sample), why: "its shard has that sample twice" });
      else if ("why" in picture) bad.push(picture);
      else found.push(picture);
      keys.add(sample.key);
      for (const kind of sample.files.keys())
        if (!(isPicture(`x.${kind}`) || ["cls", "txt", "json"].includes(kind)))
          others.set(`.${kind}`, (others.get(`.${kind}`) ?? 0) + 1);
    }
    progress?.(i + 1, shards.length);
  }
  const notes = [`${shards.length} ${shards.length === 1 ? "shard" : "shards"}`, ...notesOf(others)];
  return pictureSet({ name, from: path, found, bad, classes, notes });
}

const at = ({ name }: ByteSource, { key }: Sample): string => `${name}, sample ${JSON.stringify(key)}`;

/** The shards that a path means, in order of their names. */
async function shardsAt(name: string, files: FileSystem, path: string): Promise<string[]> {
  const isPattern = /\{.*\}/.test(path) && !(await files.exists(path));
  if (!isPattern) {
    const names = await namesIn(name, files, path);
    if (!names) return [path];
    const tars = names.filter((each) => each.endsWith(".tar") && !each.startsWith("."));
    if (tars.length > 0) return tars.map((each) => files.join(path, each));
    const packed = names.filter((each) => /\.(tar\.gz|tgz)$/.test(each));
    throw failure(
      "E_DATA",
      `Cannot load ${name} from ${path}: it holds no .tar files${packed.length > 0 ? `, but ${some(packed)}` : ""}`,
      { fix: packed.length > 0 ? "unpack them to plain .tar files: gunzip *.tar.gz" : "give the folder of the shards" },
    );
  }
  const shards = expandBraces(path, name);
  const missing: string[] = [];
  for (const shard of shards) if (!(await files.exists(shard))) missing.push(shard);
  if (missing.length > 0)
    throw failure(
      "E_DATA",
      `Cannot load ${name} from ${path}: ${missing.length} of ${shards.length} shards are not there (${some(missing, 3)})`,
      { fix: "download them, or change the numbers in braces" },
    );
  return shards;
}

/** Samples of a shard: files with one key that follow each other. */
async function* samplesOf(source: ByteSource): AsyncGenerator<Sample> {
  let sample: Sample | undefined;
  for await (const entry of tarEntries(source)) {
    const [, key, ending] = entry.name.match(NAME) ?? [];
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
async function hasCaption(json: TarEntry): Promise<boolean> {
  try {
    const value = parseJson(new TextDecoder().decode(await json.read())) as { caption?: unknown } | null;
    return typeof value?.caption === "string";
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** Digits of a class, and what stands around them. */
const LONGEST_CLASS = 32;

/** The picture of a sample, or why it has none. */
async function pictureOf(sample: Sample, source: ByteSource, classes?: number): Promise<FoundPicture | Skipped> {
  const { files } = sample;
  const path = at(source, sample);
  const pictures = [...files.keys()].filter((kind) => isPicture(`x.${kind}`));
  if (pictures.length !== 1)
    return {
      path,
      why: `it has ${pictures.length === 0 ? `no picture, only ${[...files.keys()].join(", ")}` : `${pictures.length} pictures (${pictures.join(", ")})`}, should have one`,
    };
  const cls = classes === 0 ? undefined : files.get("cls");
  let label: number | string | undefined;
  if (cls) {
    const text = cls.size <= LONGEST_CLASS ? new TextDecoder().decode(await cls.read()).trim() : "";
    label = /^\d+$/.test(text) ? Number(text) : `its .cls is ${JSON.stringify(text)}, should be the digits of a class`;
  }
  return { file: files.get(pictures[0])!, archive: source, label, caption: files.get("txt") ?? files.get("json") };
}
