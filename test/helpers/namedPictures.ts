/** Small PNG pictures whose pixels tell them apart, and data folders of archives with them. */
import type { DataFolder } from "../../core/interfaces/mod.ts";
import type { FileSystem } from "../../core/io/mod.ts";
import { encodePng } from "../../plugins/observers/drawing/png.ts";
import { type MemoryFiles, memoryFiles } from "./memoryFiles.ts";

/** A grey picture, two pixels wide and one high: its level, then 255. */
export const picture = (level: number, width = 2): Uint8Array =>
  encodePng({ width, height: 1, channels: 1, data: Uint8Array.from({ length: width }, (_, i) => (i ? 255 : level)) });

/** The levels of a batch of such pictures. */
export const levelsOf = (x: Float32Array): number[] =>
  Array.from({ length: x.length / 2 }, (_, i) => Math.round((x[2 * i] + 1) * 127.5));

/** A data folder, and what it was said to hold. */
export interface ToldFolder extends DataFolder {
  readonly files: MemoryFiles;
  readonly path: string;
  readonly said: string[];
}

/** Files in memory, below `data`; `path` is what `--data` says. */
export function toldFolder(content: Record<string, Uint8Array | string>, path = "data"): ToldFolder {
  const said: string[] = [];
  const below = Object.fromEntries(Object.entries(content).map(([name, bytes]) => [`data/${name}`, bytes]));
  return { files: memoryFiles(below), path, said, found: (text) => void said.push(text) };
}

/** What is read of a file system: bytes in all, and most at once. */
export interface Counted {
  bytes: number;
  largest: number;
  calls: number;
}

/** A file system that counts what is read. */
export function countingFiles(files: FileSystem): { readonly files: FileSystem; readonly counted: Counted } {
  const counted: Counted = { bytes: 0, largest: 0, calls: 0 };
  const count = (bytes: Uint8Array) => {
    counted.bytes += bytes.length;
    counted.largest = Math.max(counted.largest, bytes.length);
    counted.calls++;
    return bytes;
  };
  return {
    counted,
    files: {
      ...files,
      read: async (path) => count(await files.read(path)),
      readRange: async (path, offset, length) => count(await files.readRange(path, offset, length)),
    },
  };
}
