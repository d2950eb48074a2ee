import { failure } from "../../core/errors.ts";
import type { FileSystem } from "../../core/io/files.ts";

/** A file system that lives in memory, with `/` between the parts of a path, and what it holds for a test to look at. */
export interface MemoryFiles extends FileSystem {
  readonly contents: Map<string, Uint8Array>;
  /** Folders that were made; those of files need not be. */
  readonly folders: Set<string>;
}

/** The same files in another process: what was claimed is stale. */
export const copyOf = ({ contents, folders }: MemoryFiles): MemoryFiles =>
  memoryFiles(Object.fromEntries(contents), folders);

/** A file system that starts with these files; text stands for its UTF-8 bytes. Folders are what file names imply. */
export function memoryFiles(start: Record<string, Uint8Array | string> = {}, made: Iterable<string> = []): MemoryFiles {
  const encode = (content: Uint8Array | string) =>
    typeof content === "string" ? new TextEncoder().encode(content) : content.slice();
  const tidy = (path: string) => path.replace(/\/+/g, "/").replace(/(.)\/$/, "$1");
  const contents = new Map(Object.entries(start).map(([path, c]) => [tidy(path), encode(c)]));
  const folders = new Set<string>(made);
  /** What each claimed file holds; one that was copied from elsewhere is stale. */
  const claims = new Map<string, Uint8Array>();
  let claimed = 0;
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
    folders,
    read: async (path) => get("read", path).slice(),
    readRange: async (path, offset, length) => {
      const bytes = get("read", path);
      if (offset + length > bytes.length)
        throw failure("E_FILE", `Cannot read ${path}: it ends at byte ${bytes.length}`);
      return bytes.slice(offset, offset + length);
    },
    size: async (path) => get("read", path).length,
    write: async (path, content) => {
      if (content instanceof Uint8Array) return void contents.set(tidy(path), content.slice());
      const parts: Uint8Array[] = [];
      for await (const part of content) parts.push(part.slice());
      const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const part of parts) {
        bytes.set(part, at);
        at += part.length;
      }
      contents.set(tidy(path), bytes);
    },
    truncate: async (path, bytes) => void contents.set(tidy(path), get("cut", path).slice(0, bytes)),
    append: async (path, content) => {
      const before = contents.get(tidy(path)) ?? new Uint8Array(0);
      const added = typeof content === "string" ? encode(content) : content;
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
    claim: async (path) => {
      const held = contents.get(tidy(path));
      if (held && claims.get(tidy(path)) === held)
        throw failure("E_RUN_EXISTS", `Cannot claim ${path}: it is taken, one at a time should be`);
      const mine = encode(`claim ${++claimed}`);
      const isMine = () => claims.get(tidy(path)) === mine && contents.get(tidy(path)) === mine;
      contents.set(tidy(path), mine);
      claims.set(tidy(path), mine);
      return {
        confirm: async () => {
          if (!isMine()) throw failure("E_RUN_EXISTS", `Cannot claim ${path}: it is taken, one at a time should be`);
        },
        release: async () => {
          if (isMine()) contents.delete(tidy(path));
        },
      };
    },
    join: (...parts) => tidy(parts.filter((part) => part !== "").join("/")),
  };
}
