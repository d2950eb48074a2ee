/** Pictures of a folder with captions in one JSON file, as COCO has them. https://cocodataset.org/#format-data, section 5. */
import { failure, some } from "../../../core/errors.ts";
import type { DataFolder } from "../../../core/interfaces/mod.ts";
import type { FileSystem } from "../../../core/io/mod.ts";
import { parseJson } from "../../../core/json/mod.ts";
import { fileAt } from "./captionedFolder.ts";
import { dataAt } from "./dataPath.ts";
import { isPicture } from "./pictureNames.ts";
import { type FoundPicture, type PictureSet, pictureSet } from "./pictureSet.ts";
import type { Skipped } from "./skipped.ts";

/** The dataset, for messages. */
const NAME = "coco";

/** Where captions and pictures are: the options of the dataset, empty where they say nothing. */
export interface CocoOptions {
  readonly captions?: string;
  readonly pictures?: string;
}

/** Texts of JavaScript have less than 2²⁹ letters. */
const LARGEST = 2 ** 29 - 25;

/**
 * The pictures that the JSON names, in its order, each with the first of its captions: those of DMD2's protocol for COCO.
 * @throws E_DATA
 */
export async function cocoPictures(data: DataFolder, options: CocoOptions): Promise<PictureSet> {
  const { files, path } = dataAt(NAME, data);
  const json = options.captions || (await captionsIn(files, path));
  const { images, captions } = await readCaptions(files, json);
  const folder = options.pictures || (await picturesFor(files, path, json, images));
  const there = new Set(await files.list(folder));
  const bad: Skipped[] = [];
  const found: FoundPicture[] = [];
  for (const [id, fileName] of images) {
    const place = files.join(folder, fileName);
    if (!there.has(fileName)) bad.push({ path: place, why: `${json} names it, it is not there` });
    else found.push({ file: fileAt(files, place), caption: captions.get(id) });
    captions.delete(id);
    there.delete(fileName);
  }
  for (const id of captions.keys())
    bad.push({ path: json, why: `it has a caption for picture ${id}, which it does not name` });
  const without = [...there].filter(isPicture).length;
  const notes = without > 0 ? [`${without} pictures of ${folder} are not in ${json}`] : [];
  if (captions.size === 0 && found.length > 0 && found.every(({ caption }) => caption === undefined))
    throw failure("E_DATA", `Cannot use ${json}: it has no caption for any of ${images.size} pictures`);
  return pictureSet({ name: NAME, from: path, found, bad, classes: 0, notes });
}

/** The JSON file with captions: in the folder, or in `annotations` below. */
async function captionsIn(files: FileSystem, path: string): Promise<string> {
  const found: string[] = [];
  for (const folder of [path, files.join(path, "annotations")]) {
    const names = await files.list(folder).catch(() => []);
    found.push(...names.filter((each) => /captions.*\.json$/i.test(each)).map((each) => files.join(folder, each)));
  }
  if (found.length === 1) return found[0];
  const which = found.length > 0 ? ` (${some(found)})` : "";
  throw failure(
    "E_DATA",
    `Cannot load ${NAME} from ${path}: it has ${found.length} files captions….json${which}, should have one`,
    { fix: "say which with --set dataset.captions=FILE" },
  );
}

/** The folder that has the pictures: named as the JSON is, `images`, or the data folder. */
async function picturesFor(
  files: FileSystem,
  path: string,
  json: string,
  images: ReadonlyMap<string, string>,
): Promise<string> {
  const [first] = images.values();
  const split = json.match(/captions_?([^/\\]*)\.json$/i)?.[1] ?? "";
  const folders = [...new Set([split, "images", ""])].map((each) => files.join(path, each));
  for (const folder of folders) if (await files.exists(files.join(folder, first))) return folder;
  throw failure(
    "E_DATA",
    `Cannot load ${NAME} from ${path}: ${first}, which ${json} names first, is in none of ${folders.join(", ")}`,
    { fix: "say where pictures are with --set dataset.pictures=FOLDER" },
  );
}

/** File names by the id of a picture, and its first caption. */
async function readCaptions(files: FileSystem, path: string) {
  const refuse = (why: string) =>
    failure("E_DATA", `Cannot use ${path}: ${why}`, {
      fix: 'give the captions of COCO, such as captions_val2014.json: {"images": [{"id", "file_name"}], "annotations": [{"image_id", "caption"}]}',
    });
  if ((await files.size(path)) > LARGEST) throw refuse("it is too large for captions");
  let json: unknown;
  try {
    json = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(await files.read(path)));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) throw refuse("it is no JSON");
    throw error;
  }
  const lists = (json ?? {}) as { images?: unknown; annotations?: unknown };
  if (!Array.isArray(lists.images) || !Array.isArray(lists.annotations))
    throw refuse("it has no lists images and annotations");
  const images = new Map<string, string>();
  for (const [i, image] of lists.images.entries()) {
    const { id, file_name } = (image ?? {}) as { id?: unknown; file_name?: unknown };
    if (!isId(id) || typeof file_name !== "string" || file_name === "")
      throw refuse(`picture ${i} of its images has no id and file_name`);
    // Pictures lie in one folder: no name leads out of it.
    if (/[/\\]|^\.\.?$/.test(file_name))
      throw refuse(`picture ${i} is named ${JSON.stringify(file_name)}, which leads to another folder`);
    if (images.has(String(id))) throw refuse(`it has two pictures with id ${id}`);
    images.set(String(id), file_name);
  }
  if (images.size === 0) throw refuse("it names no pictures");
  const captions = new Map<string, string>();
  for (const [i, annotation] of lists.annotations.entries()) {
    const { image_id, caption } = (annotation ?? {}) as { image_id?: unknown; caption?: unknown };
    if (!isId(image_id) || typeof caption !== "string") throw refuse(`annotation ${i} has no image_id and caption`);
    if (!captions.has(String(image_id))) captions.set(String(image_id), caption.trim());
  }
  return { images, captions };
}

const isId = (value: unknown): value is number | string => typeof value === "number" || typeof value === "string";
