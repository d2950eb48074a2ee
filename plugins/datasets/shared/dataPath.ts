/** What `--data` may be: a folder, or the one file of a data set. */
import { failure, some } from "../../../core/errors.ts";
import type { DataFolder } from "../../../core/interfaces/mod.ts";
import type { FileSystem } from "../../../core/io/mod.ts";

/** The way to the data. Throws E_DATA where there is none. */
export function dataAt(
  name: string,
  { files, path }: DataFolder,
): { readonly files: FileSystem; readonly path: string } {
  if (!files || path === undefined)
    throw failure("E_DATA", `Cannot load ${name}: there is no data folder, should be given with --data`, {
      fix: "name the folder of its files with --data FOLDER",
    });
  return { files, path };
}

/** The names in a folder; undefined for a file. Throws E_DATA where there is neither. */
export async function namesIn(name: string, files: FileSystem, path: string): Promise<string[] | undefined> {
  // What can't be listed is a file.
  const names = await files.list(path).catch(() => undefined);
  if (names || (await files.exists(path))) return names;
  throw failure("E_DATA", `Cannot load ${name} from ${path}: there is no such file or folder`, {
    fix: "give the file or folder of the data with --data",
  });
}

/** A file of a data folder, and the way to read it. */
export interface DataFile {
  readonly files: FileSystem;
  readonly file: string;
}

/**
 * The one file of a data set: what an option says, `--data` itself where it is a file, or the only one of its ending in the folder.
 * @param file the option `dataset.<option>`; empty where it says nothing
 * @throws E_DATA where there is none, or several
 */
export async function oneFile(
  name: string,
  folder: DataFolder,
  { file, ending, option = "file" }: { readonly file: string; readonly ending: string; readonly option?: string },
): Promise<DataFile> {
  if (file !== "" && folder.files) return { files: folder.files, file };
  const { files, path } = dataAt(name, folder);
  const names = await namesIn(name, files, path);
  if (!names) return { files, file: path };
  const found = names.filter((each) => each.toLowerCase().endsWith(ending) && !each.startsWith("."));
  if (found.length === 1) return { files, file: files.join(path, found[0]) };
  const which = found.length > 0 ? ` (${some(found)})` : "";
  throw failure(
    "E_DATA",
    `Cannot load ${name} from ${path}: it has ${found.length} ${ending} files${which}, should have one`,
    { fix: `say which with --set dataset.${option}=FILE, or give the file itself with --data` },
  );
}
