import { failure } from "../../core/errors.ts";
import type { FileSystem } from "../../core/io/files.ts";

/** A file system that lives in memory, with `/` between the parts of a path, and what it holds for a test to look at. */
export interface MemoryFiles extends FileSystem {
  readonly contents: Map<string, Uint8Array>;
}

/** A file system that starts with these files; text stands for its UTF-8 bytes. Folders are what file names imply. */
export function memoryFiles(start: Record<string, Uint8Array | string> = {}): MemoryFiles {
  const encode = (content: Uint8Array | string) =>
    typeof content === "string" ? new TextEncoder().encode(content) : content.slice();
  const tidy = (path: string) => path.replace(/\/+/g, "/").replace(/(.)\/$/, "$1");
  const contents = new Map(Object.entries(start).map(([path, c]) => [tidy(path), encode(c)]));
  const folders = new Set<string>();
  const namesIn = (dir: string) => {
    const prefix = tidy(dir) === "." ? "" : `${tidy(dir)}/`.replace("//", "/");
    return [...contents.keys(), ...folders]
      .filter((path) => path.startsWith(prefix) && path !== prefix)
      .map((path) => path.slice(prefix.length).split("/")[0]);
  };
  const missing = (verb: string, path: string) =>
    failure("E_FILE", `Cannot ${verb} ${path}: it is not there, should exist`);
  const get = (verb: string, path: string) => {
    const bytes = contents.get(tidy(path));
    if (!bytes) throw missing(verb, path);
    return bytes;
  };
  const isFolder = (path: string) => folders.has(tidy(path)) || namesIn(path).length > 0;

  return {
    contents,
    read: async (path) => get("read", path).slice(),
    readRange: async (path, offset, length) => {
      const bytes = get("read", path);
      if (offset + length > bytes.length)
        throw failure("E_FILE", `Cannot read ${path}: it ends at byte ${bytes.length}`);
      return bytes.slice(offset, offset + length);
    },
    size: async (path) => get("read", path).length,
    write: async (path, bytes) => {
      contents.set(tidy(path), bytes.slice());
    },
    append: async (path, text) => {
      const before = contents.get(tidy(path)) ?? new Uint8Array(0);
      const added = encode(text);
      const bytes = new Uint8Array(before.length + added.length);
      bytes.set(before);
      bytes.set(added, before.length);
      contents.set(tidy(path), bytes);
    },
    exists: async (path) => contents.has(tidy(path)) || isFolder(path),
    list: async (dir) => {
      if (!isFolder(dir)) throw missing("list", dir);
      return [...new Set(namesIn(dir))].sort();
    },
    makeDir: async (path) => {
      folders.add(tidy(path));
    },
    remove: async (path) => {
      const gone = (name: string) => name === tidy(path) || name.startsWith(`${tidy(path)}/`);
      for (const name of contents.keys()) if (gone(name)) contents.delete(name);
      for (const name of folders) if (gone(name)) folders.delete(name);
    },
    join: (...parts) => tidy(parts.filter((part) => part !== "").join("/")),
  };
}
