/** Pictures in a zip archive with labels in its `dataset.json`, as EDM's dataset_tool writes them. */
import { failure } from "../../../core/errors.ts";
import type { DataFolder } from "../../../core/interfaces/mod.ts";
import { type ByteSource, fileBytes, openZip, type ZipEntry } from "../../../core/io/mod.ts";
import { parseJson } from "../../../core/json/mod.ts";
import { oneFile } from "./dataPath.ts";
import { isPicture, isSystemFile, notesOf } from "./pictureNames.ts";
import { type FoundPicture, type PictureSet, pictureSet } from "./pictureSet.ts";
import type { Skipped } from "./skipped.ts";

/** The dataset, for messages. */
const NAME = "edm-zip";
/** Labels by the names of pictures. NVlabs/edm, training/dataset.py: `dict(json["labels"])`. */
const LABELS = "dataset.json";

/** Which archive, and how its labels are taken: the options of the dataset. */
export interface ZipOptions {
  readonly file?: string;
  readonly classes?: number;
}

/**
 * The pictures of an archive, in order of their names, as EDM's reader has them. Labels belong to names: their own order is
 * whatever the writer met first.
 * @throws E_DATA
 */
export async function zipPictures(folder: DataFolder, { file: given = "", classes }: ZipOptions): Promise<PictureSet> {
  const { files, file } = await oneFile(NAME, folder, { file: given, ending: ".zip" });
  const source = await fileBytes(files, file);
  const entries = await openZip(source);
  const pictures: ZipEntry[] = [];
  const others = new Map<string, number>();
  for (const entry of Object.values(entries))
    if (isPicture(entry.name)) pictures.push(entry);
    else if (entry.name !== LABELS && !isSystemFile(entry.name)) {
      const ending = entry.name.match(/\.[a-z0-9]+$/i)?.[0] ?? "others";
      others.set(ending, (others.get(ending) ?? 0) + 1);
    }
  pictures.sort((a, b) => (a.name < b.name ? -1 : 1));
  const stored = entries[LABELS];
  const labels = stored && classes !== 0 ? await readLabels(stored, source) : undefined;
  const bad: Skipped[] = [];
  const found = pictures.map((entry): FoundPicture => {
    const label = labels?.get(entry.name);
    labels?.delete(entry.name);
    return { file: entry, archive: source, label };
  });
  for (const named of labels?.keys() ?? [])
    bad.push({ path: `${file}, entry ${JSON.stringify(named)}`, why: `${LABELS} has a label for it, it is not there` });
  const notes = [...notesOf(others), ...(stored ? [] : [`it has no ${LABELS} with labels`])];
  return pictureSet({ name: NAME, from: file, found, bad, classes, notes });
}

/** A class for each name, or what is wrong with its label; undefined where the archive says that it has no labels. */
async function readLabels(entry: ZipEntry, source: ByteSource): Promise<Map<string, number | string> | undefined> {
  const refuse = (why: string) =>
    failure("E_DATA", `Cannot use ${source.name}, entry ${JSON.stringify(LABELS)}: ${why}`, {
      fix: 'write {"labels": [["00000/img00000000.png", 6], …]}, or take the pictures without classes with --set dataset.classes=0',
    });
  let json: unknown;
  try {
    json = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(await entry.read()));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) throw refuse("it is no JSON");
    throw error;
  }
  const { labels } = (json ?? {}) as { labels?: unknown };
  if (labels === null || labels === undefined) return undefined;
  if (!Array.isArray(labels)) throw refuse("its labels are no list of pairs of a name and a class");
  const byName = new Map<string, number | string>();
  for (const [i, pair] of labels.entries()) {
    const [name, label] = Array.isArray(pair) ? (pair as unknown[]) : [];
    if (typeof name !== "string") throw refuse(`its label ${i} is no pair of a name and a class`);
    const path = name.replaceAll("\\", "/");
    if (byName.has(path)) throw refuse(`it has two labels for ${JSON.stringify(path)}`);
    byName.set(
      path,
      typeof label === "number"
        ? label
        : `its label is ${Array.isArray(label) ? "a list" : "no number"}, should be a class`,
    );
  }
  return byName;
}
