import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { failure, OnestepError } from "../../core/errors.ts";
import type { FileSystem } from "../../core/io/files.ts";

/** One system call moves less than 2 GiB, so larger files go in parts of this many bytes. */
const PART = 256 * 2 ** 20;

/** The file system of Node and Deno. */
export const files: FileSystem = {
  read: (path) =>
    attempt("read", path, async () => {
      return withFile(path, "r", async (file) => readPart(file, path, 0, await sizeOf(file)));
    }),

  readRange: (path, offset, length) =>
    attempt("read", path, () => {
      return withFile(path, "r", (file) => readPart(file, path, offset, length));
    }),

  size: (path) => attempt("read", path, () => withFile(path, "r", sizeOf)),

  write: (path, bytes) => attempt("write", path, () => replaceFile(path, bytes)),

  append: (path, text) => attempt("append to", path, () => withFile(path, "a", (file) => file.writeFile(text))),

  exists: (path) =>
    stat(path).then(
      () => true,
      () => false,
    ),

  list: (dir) => attempt("list", dir, async () => (await readdir(dir)).sort()),

  makeDir: (path) =>
    attempt("make folder", path, async () => {
      await mkdir(path, { recursive: true });
    }),

  remove: (path) => attempt("remove", path, () => rm(path, { recursive: true, force: true })),

  join,
};

/** Writes beside the target, flushes to the disk, then renames over it: rename is the one atomic step there is. */
async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const draft = `${path}.${process.pid}-${randomUUID().slice(0, 8)}.tmp`;
  try {
    await withFile(draft, "wx", async (file) => {
      for (let at = 0; at < bytes.length; ) {
        const part = Math.min(PART, bytes.length - at);
        at += (await file.write(bytes, at, part)).bytesWritten;
      }
      await file.sync();
    });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  // The new name itself is only durable once its folder is flushed; not every system can (Windows cannot).
  await withFile(dirname(resolve(path)), "r", (dir) => dir.sync()).catch(() => {});
}

async function readPart(file: FileHandle, path: string, offset: number, length: number) {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const part = Math.min(PART, length - at);
    const { bytesRead } = await file.read(bytes, at, part, offset + at);
    if (bytesRead === 0)
      throw failure(
        "E_FILE",
        `Cannot read ${length} bytes at ${offset} of ${path}: the file ends at byte ${offset + at}`,
        { fix: "the file is truncated; copy or download it again" },
      );
    at += bytesRead;
  }
  return bytes;
}

async function sizeOf(file: FileHandle): Promise<number> {
  const found = await file.stat();
  if (found.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
  return found.size;
}

async function withFile<T>(path: string, flags: string, use: (file: FileHandle) => Promise<T>) {
  const file = await open(path, flags);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** What the system's error codes mean to someone who only wants their file. */
const reasons: Record<string, string> = {
  ENOENT: "there is no such file or folder",
  EACCES: "permission is denied",
  EPERM: "the operation is not permitted",
  NotCapable: "Deno was not given permission, run with --allow-read and --allow-write",
  EISDIR: "it is a folder, a file should be there",
  ENOTDIR: "a part of the path is a file, a folder should be there",
  EEXIST: "a file of that name is in the way",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "its symbolic links go round in a circle",
};

async function attempt<T>(verb: string, path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof OnestepError) throw error;
    const { code, name, message } = error as NodeJS.ErrnoException;
    const reason = reasons[code ?? ""] ?? reasons[name] ?? message;
    throw failure("E_FILE", `Cannot ${verb} ${path}: ${reason}`, { cause: error });
  }
}
