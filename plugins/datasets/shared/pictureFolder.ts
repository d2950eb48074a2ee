/** Which pictures a data folder has, and of which classes they are. */
import { failure, some } from "../../../core/errors.ts";
import type { FileSystem } from "../../../core/io/mod.ts";
import { PICTURES } from "./pictureNames.ts";

/** A picture before it is read. */
export interface PictureFile {
  readonly path: string;
  /** Class; 0 where there are none. */
  readonly label: number;
}

/** What a data folder holds. */
export interface PictureFolder {
  /** In order of classes, then of names. */
  readonly pictures: readonly PictureFile[];
  /** Of the classes; undefined for pictures without. */
  readonly names?: readonly string[];
  /** Files in formats that are not read, by ending. */
  readonly others: ReadonlyMap<string, number>;
}

/** Formats that are read, for messages. */
const FORMATS = "PNG, JPEG or WebP";
/** Endings of picture files that are not read. */
const OTHERS = ["gif", "bmp", "tif", "tiff", "avif", "heic"];

/**
 * Looks for the pictures of a folder.
 * @param classes how many subfolders there should be, each a class; 0 takes all pictures without classes, in subfolders too;
 * undefined takes what is there: subfolders with pictures are classes
 * @throws E_DATA that says what was found and which option cures it
 */
export async function findPictures(files: FileSystem, path: string, classes?: number): Promise<PictureFolder> {
  const others = new Map<string, number>();
  const refuse = (why: string, fix: string) => failure("E_DATA", `Cannot load pictures from ${path}: ${why}`, { fix });
  const names = (await files.exists(path)) ? await files.list(path) : undefined;
  if (!names) throw refuse("there is no such folder", "give the folder of the pictures with --data");
  const here = picturesOf(names, others);
  const folders: { readonly name: string; readonly pictures: readonly string[] }[] = [];
  for (const name of names) {
    // Of systems and programs, such as .git and __MACOSX; and files, of which there may be many.
    if (/^(\.|__)/.test(name) || isFileName(name)) continue;
    // What can't be listed is a file.
    const inside = await files.list(files.join(path, name)).catch(() => undefined);
    if (inside) folders.push({ name, pictures: picturesOf(inside, others) });
  }
  const filled = folders.filter(({ pictures }) => pictures.length > 0);
  if (here.length + filled.length === 0) throw refuse(nothing(others, folders), cure(others, folders));
  const at = (label: number, ...below: string[]) => ({ path: files.join(path, ...below), label });

  if (classes === 0 || (classes === undefined && filled.length === 0)) {
    const below = filled.flatMap(({ name, pictures }) => pictures.map((picture) => at(0, name, picture)));
    return { pictures: [...here.map((picture) => at(0, picture)), ...below], others };
  }
  if (classes === undefined && here.length > 0)
    throw refuse(
      `${here.length} pictures lie beside ${filled.length} subfolders with pictures (${some(filled.map(({ name }) => name))})`,
      "move them into the subfolder of their class, or take all without classes with --set dataset.classes=0",
    );
  if (classes !== undefined && folders.length !== classes)
    throw refuse(
      `it has ${folders.length} subfolders, should have one for each of ${classes} classes`,
      "leave dataset.classes out, which then is what is found, or set it to 0 for pictures without classes",
    );
  const ordered = inOrder(folders);
  const empty = ordered.filter(({ pictures }) => pictures.length === 0).map(({ name }) => name);
  if (empty.length > 0)
    throw refuse(
      `the subfolder ${empty[0]} holds no ${FORMATS} files, should hold those of a class`,
      "put pictures into it, or remove it",
    );
  const pictures = ordered.flatMap(({ name, pictures: inside }, label) =>
    inside.map((picture) => at(label, name, picture)),
  );
  return { pictures, names: ordered.map(({ name }) => name), others };
}

/** By number where all are whole numbers, so that 10 comes after 2; else by text. */
function inOrder<T extends { readonly name: string }>(folders: readonly T[]): readonly T[] {
  if (!folders.every(({ name }) => /^\d+$/.test(name))) return folders;
  return [...folders].sort((a, b) => Number(a.name) - Number(b.name));
}

const endingOf = (name: string): string => name.toLowerCase().match(/\.([a-z0-9]+)$/)?.[1] ?? "";

const isFileName = (name: string): boolean => [...PICTURES, ...OTHERS].includes(endingOf(name));

/** The pictures among names that are read; others are counted. */
function picturesOf(names: readonly string[], others: Map<string, number>): string[] {
  return names.filter((name) => {
    const ending = endingOf(name);
    if (OTHERS.includes(ending) && !name.startsWith(".")) others.set(ending, (others.get(ending) ?? 0) + 1);
    return PICTURES.includes(ending) && !name.startsWith(".");
  });
}

/** "300 jpg, 2 gif". */
export const countsOf = (others: PictureFolder["others"]): string =>
  [...others].map(([ending, count]) => `${count} ${ending}`).join(", ");

type Folders = readonly { readonly name: string }[];

function nothing(others: PictureFolder["others"], folders: Folders): string {
  if (others.size > 0) return `it holds ${countsOf(others)} and no ${FORMATS} files, which alone are read`;
  const below = folders.length > 0 ? `, nor do its subfolders ${some(folders.map(({ name }) => name))}` : "";
  return `it holds no ${FORMATS} files${below}`;
}

function cure(others: PictureFolder["others"], folders: Folders): string {
  const [ending] = others.keys();
  if (ending) return `save them as PNG, for example with ImageMagick: magick mogrify -format png *.${ending}`;
  if (folders.length > 0) return "give the folder whose subfolders hold the pictures of a class each";
  return "give the folder of the pictures with --data";
}
