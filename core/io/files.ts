/**
 * What core needs of a file system. Paths are the machine's own; `join` builds them. Every method rejects with an
 * `E_FILE` error that names the path and the reason. The implementation for Node and Deno is in `backends/host/files.ts`.
 */
export interface FileSystem {
  /** The whole file. */
  read(path: string): Promise<Uint8Array>;
  /** Exactly `length` bytes from `offset`; rejects when the file ends before. They may lie in `into`, which has that length. */
  readRange(path: string, offset: number, length: number, into?: Uint8Array): Promise<Uint8Array>;
  /** Size of a file in bytes. */
  size(path: string): Promise<number>;
  /**
   * Replaces the file in one step: a reader, or a crash, sees the old bytes or the new ones, never half of them. Given in parts,
   * they are written one after another, so that no more than one is in memory. What a killed writer leaves is a draft
   * beside the file: see `isDraft`.
   */
  write(path: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
  /** Adds bytes, or text as UTF-8, at the end, creating the file when it is missing. */
  append(path: string, content: string | Uint8Array): Promise<void>;
  /** Cuts a file after this many bytes. */
  truncate(path: string, bytes: number): Promise<void>;
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
  /**
   * Takes a file as the sign that this process alone works on what it stands for; undefined or absent where that can't be told.
   * Rejects with E_RUN_EXISTS while another one holds it; the sign of a process that is no more is taken over.
   */
  claim?(path: string): Promise<Claim>;
  /** Bytes that can still be written to the disk of a folder that is there; undefined or absent where it is not known. */
  space?(dir: string): Promise<number | undefined>;
}

/** What `claim` gives. */
export interface Claim {
  /** Rejects with E_RUN_EXISTS when another process has taken it meanwhile. */
  confirm(): Promise<void>;
  /** Gives it back; a second call does nothing. */
  release(): Promise<void>;
}

/** Whether a name is that of a draft, as writers leave it when they are killed: the name of the file, who wrote it, `.tmp`. */
export const isDraft = (name: string): boolean => /\.\d+-[0-9a-f]+\.tmp$/.test(name);

/** Whether a failure of a file system says that there is no room: then removing something helps. */
export function isDiskFull(error: unknown): boolean {
  const { code } = ((error as Error)?.cause ?? {}) as { code?: unknown };
  return code === "ENOSPC" || code === "EDQUOT";
}
