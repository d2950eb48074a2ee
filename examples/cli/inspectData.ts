/** What a data set in an archive, or with captions, holds. */

import { files } from "../../backends/host/files.ts";
import { some } from "../../core/errors.ts";
import { decodePrompts, fileBytes, isTar, openZip, PICTURE_HEADER_BYTES, pictureHeader } from "../../core/io/mod.ts";
import type { PictureSet } from "../../plugins/datasets/shared/pictureSet.ts";
import { type PlacedName, type PlacedOptions, placedPictures } from "../../plugins/datasets/shared/placedPictures.ts";
import { pictureOf } from "../../plugins/datasets/shared/readPictures.ts";
import { captionsOf } from "../../plugins/datasets/shared/streamedPictures.ts";
import type { Found } from "./inspect.ts";
import { statOf } from "./statOf.ts";

/** Bytes that tell a tar archive. */
const HEADER = 512;

/** A zip archive, a shard, a list of prompts; undefined for a file of another kind. Throws E_DATA for one that is damaged. */
export async function inspectDataFile(path: string, listed: number): Promise<Found | undefined> {
  const source = await fileBytes(files, path);
  if (/\.(txt|pkl)$/i.test(path)) return inspectPrompts(path, listed);
  if (isTar(await source.read(0, Math.min(HEADER, source.size)))) return inspectSet("webdataset", path, listed);
  return undefined;
}

/** A zip archive with pictures; undefined for another one. */
export async function inspectPictureZip(path: string, listed: number): Promise<Found | undefined> {
  const names = Object.keys(await openZip(await fileBytes(files, path)));
  return names.some((name) => /\.(png|jpe?g|webp)$/i.test(name)) ? inspectSet("edm-zip", path, listed) : undefined;
}

/** Shards, a zip archive, captions or CIFAR-10 in a folder; undefined for a folder of another kind. */
export async function inspectDataFolder(path: string, listed: number): Promise<Found | undefined> {
  const names = await files.list(path);
  const inside = (folder: string) => files.list(files.join(path, folder)).catch(() => [] as string[]);
  if (names.some((name) => name.endsWith(".tar"))) return inspectSet("webdataset", path, listed);
  const zips = names.filter((name) => name.toLowerCase().endsWith(".zip"));
  if (zips.length === 1) {
    const found = await inspectPictureZip(files.join(path, zips[0]), listed);
    if (found) return found;
  }
  const captions = [
    ...names.map((name) => ["", name]),
    ...(await inside("annotations")).map((name) => ["annotations", name]),
  ]
    .filter(([, name]) => /captions.*\.json$/i.test(name))
    .map((parts) => files.join(path, ...parts));
  if (captions.length > 0) return inspectSet("coco", path, listed, captions);
  for (const folder of ["", "cifar-10-batches-bin", "cifar-10-batches-py"])
    if ((folder === "" ? names : await inside(folder)).some((name) => /^data_batch_1(\.bin(\.gz)?)?$/.test(name)))
      return {
        what: "CIFAR-10 as its authors give it: 32 x 32, RGB, 10 classes",
        use: `train on it with \`onestep train cifar10 --data ${path}\``,
      };
  return undefined;
}

/** A folder of pictures, in subfolders by class or without; undefined for one that begins with none. */
export async function inspectPictureFolder(path: string, listed: number): Promise<Found | undefined> {
  const names = await files.list(path);
  const isFolder = (name: string) => statOf(files.join(path, name))?.isDirectory() ?? false;
  const folders = names.filter(isFolder);
  const plain = names.filter((name) => !isFolder(name));
  const rows: string[][] = [];
  let count = 0;
  for (const folder of folders) {
    const inside = (await files.list(files.join(path, folder))).filter((name) => !name.startsWith("."));
    const first = inside.length > 0 ? await sizeOf(files.join(path, folder, inside[0])) : undefined;
    if (first === undefined) continue;
    count += inside.length;
    if (rows.length < listed) rows.push([folder, `${inside.length} files`, `the first is ${first}`]);
  }
  const classes = rows.length;
  if (classes === 0) {
    const pictures = plain.filter((name) => /\.(png|jpe?g|webp)$/i.test(name));
    const first = pictures.length > 0 ? await sizeOf(files.join(path, pictures[0])) : undefined;
    if (first === undefined) return undefined;
    count = pictures.length;
    rows.push([pictures[0], first]);
  }
  return {
    what: classes > 0 ? `${count} pictures in ${classes} folders, a class each` : `${count} pictures without classes`,
    rows,
    use: `train on them with \`onestep train pictures --data ${quoted(path)}\``,
  };
}

/** Size and channels of a picture by its header; undefined for a file that is none. */
async function sizeOf(path: string): Promise<string | undefined> {
  if (statOf(path)?.isDirectory() !== false) return undefined;
  const source = await fileBytes(files, path);
  const header = pictureHeader(await source.read(0, Math.min(source.size, PICTURE_HEADER_BYTES)));
  if ("fault" in header) return undefined;
  return `${header.width} x ${header.height} ${header.channels === 1 ? "grey" : "RGB"}`;
}

/** A pattern with braces that names shards. */
export const inspectShards = (pattern: string, listed: number): Promise<Found> =>
  inspectSet("webdataset", pattern, listed);

/** A list of prompts, or undefined for a file of another kind. */
async function inspectPrompts(path: string, listed: number): Promise<Found | undefined> {
  let prompts: string[];
  try {
    prompts = decodePrompts(await files.read(path), path);
  } catch (error) {
    // A pickle may be weights, and a text may be anything.
    if (/\.pkl$/i.test(path)) return undefined;
    throw error;
  }
  return {
    what: `a list of ${prompts.length} prompts, one on each line`,
    rows: prompts.slice(0, listed).map((prompt, i) => [String(i + 1), prompt]),
    total: prompts.length,
  };
}

const KINDS: Readonly<Record<PlacedName, string>> = {
  "edm-zip": "pictures in a zip archive",
  webdataset: "pictures in tar shards",
  coco: "pictures with captions of COCO",
};

/** Pictures of a set, and the line that trains on them. */
async function inspectSet(
  use: PlacedName,
  path: string,
  listed: number,
  captions: readonly string[] = [],
): Promise<Found> {
  // Of several files with captions, a person has to say which.
  const options: PlacedOptions = captions.length > 1 ? { captions: captions[0] } : {};
  const set = await placedPictures(use, { files, path }, options);
  const { pictures, classes, bad, notes, hasCaptions } = set;
  const rows = await rowsOf(set, path, listed);
  const sizes = [...new Set(rows.map((row) => row[1]))];
  const parts = [
    `${pictures.length} ${KINDS[use]}`,
    ...(rows.length > 0 ? [`the first ${rows.length} are ${some(sizes, 3)}`] : []),
    classes > 0 ? `${classes} classes` : "no classes",
    hasCaptions ? "captions" : "no captions",
    ...notes,
    ...(captions.length > 1 ? [`captions of ${options.captions}, one of ${captions.length} files`] : []),
    ...(bad.length > 0 ? [`${bad.length} cannot be used, such as ${bad[0].path}: ${bad[0].why}`] : []),
  ];
  const settings = [
    `dataset.use=${use}`,
    ...(captions.length > 1 ? [`dataset.captions=${options.captions}`] : []),
    ...(bad.length > 0 ? ["dataset.skipBad=true"] : []),
  ];
  const words = settings.map((each) => `--set ${quoted(each)}`).join(" ");
  return {
    what: parts.join("; "),
    rows,
    total: pictures.length,
    use: `train on them with \`onestep train pictures ${words} --data ${quoted(path)}\``,
  };
}

/** As a shell takes it. */
const quoted = (text: string): string => (/[\s{}'"]/.test(text) ? `'${text.replaceAll("'", "'\\''")}'` : text);

/** Name, size, class and caption of the first pictures. */
async function rowsOf(
  { pictures, classes, hasCaptions }: PictureSet,
  path: string,
  listed: number,
): Promise<string[][]> {
  const rows: string[][] = [];
  for (const picture of pictures.slice(0, listed)) {
    const read = pictureOf(picture, await picture.file.read());
    const [caption] = hasCaptions ? await captionsOf([picture]) : [];
    rows.push([
      picture.file.name.startsWith(path) ? picture.file.name.slice(path.length + 1) : picture.file.name,
      "why" in read ? read.why : `${read.width} x ${read.height} ${read.channels === 1 ? "grey" : "RGB"}`,
      ...(classes > 0 ? [`class ${picture.label}`] : []),
      ...(caption === undefined ? [] : [caption]),
    ]);
  }
  return rows;
}
