/**
 * What core needs of a file system. Paths are the machine's own; `join` builds them. Every method rejects with an
 * `E_FILE` error that names the path and the reason. The implementation for Node and Deno is in `backends/host/files.ts`.
 */
export interface FileSystem {
  /** The whole file. */
  read(path: string): Promise<Uint8Array>;
  /** Exactly `length` bytes from `offset`; rejects when the file ends before. */
  readRange(path: string, offset: number, length: number): Promise<Uint8Array>;
  /** Size of a file in bytes. */
  size(path: string): Promise<number>;
  /** Replaces the file in one step: a reader, or a crash, sees the old bytes or the new ones, never half of them. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Adds text (UTF-8) at the end, creating the file when it is missing. */
  append(path: string, text: string): Promise<void>;
  /** True when a file or folder is there. */
  exists(path: string): Promise<boolean>;
  /** Names in a folder, sorted, without the folder's own path. */
  list(dir: string): Promise<string[]>;
  /** Makes a folder and its parents; fine when it is already there. */
  makeDir(path: string): Promise<void>;
  /** Removes a file, or a folder with all in it; fine when it is already gone. */
  remove(path: string): Promise<void>;
  /** One path from its parts. */
  join(...parts: string[]): string;
}
