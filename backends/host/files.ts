import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { failure, OnestepError } from "../../core/errors.ts";
import type { FileSystem } from "../../core/io/files.ts";
import { claim } from "./claim.ts";

/** One system call moves less than 2 GiB, so larger files go in parts of this many bytes. */
const PART = 256 * 2 ** 20;

/** The file system of Node and Deno. */
export const files: FileSystem = {
  read: (path) =>
    attempt("read", path, async () => {
      return withFile(path, "r", async (file) => readPart(file, path, 0, await sizeOf(file)));
    }),

  readRange: (path, offset, length, into) =>
    attempt("read", path, () => {
      return withFile(path, "r", (file) => readPart(file, path, offset, length, into));
    }),

  size: (path) => attempt("read", path, () => withFile(path, "r", sizeOf)),

  write: (path, content) => attempt("write", path, () => replaceFile(path, content)),

  append: (path, content) => attempt("append to", path, () => withFile(path, "a", (file) => file.writeFile(content))),

  truncate: (path, bytes) => attempt("cut", path, () => withFile(path, "r+", (file) => file.truncate(bytes))),

  exists: (path) =>
    stat(path).then(
      () => true,
      () => false,
    ),

  list: (dir) => attempt("list", dir, async () => (await readdir(dir)).sort()),

  makeDir: (path) => attempt("make folder", path, () => makeFolder(resolve(path))),

  remove: (path) => attempt("remove", path, () => rm(path, { recursive: true, force: true })),

  join,

  claim: (path) => attempt("claim", path, () => claim(path)),

  // Not every runtime has it.
  space: (dir) =>
    statfs(dir).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => undefined,
    ),
};

/** One folder after the other: Node's own way of making several can try without end where none can be made. */
async function makeFolder(path: string): Promise<void> {
  const above = dirname(path);
  if (above !== path && !(await files.exists(above))) await makeFolder(above);
  try {
    await mkdir(path);
  } catch (error) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory()) return;
    throw (error as NodeJS.ErrnoException).code === "ENOENT" ? Object.assign(new Error(), { code: NO_FOLDERS }) : error;
  }
}

/** Writes beside the target, flushes to the disk, then renames over it: rename is the one atomic step there is. */
async function replaceFile(path: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
  // The new file would take the place of a pipe or a device.
  await checkPlain(path);
  const draft = `${path}.${process.pid}-${randomUUID().slice(0, 8)}.tmp`;
  try {
    await withFile(draft, "wx", async (file) => {
      for await (const bytes of content instanceof Uint8Array ? [content] : content)
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
  await open(dirname(resolve(path)), "r")
    .then((dir) => using(dir, () => dir.sync()))
    .catch(() => {});
}

async function readPart(file: FileHandle, path: string, offset: number, length: number, into?: Uint8Array) {
  // Deno does not read into memory that threads share.
  const bytes = into && (into.buffer instanceof ArrayBuffer || !("Deno" in globalThis)) ? into : roomFor(length);
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
  return (await file.stat()).size;
}

async function withFile<T>(path: string, flags: string, use: (file: FileHandle) => Promise<T>) {
  await checkPlain(path);
  return using(await open(path, flags), use);
}

/** Rejects where there is something that is no plain file. */
async function checkPlain(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
  // To open a pipe is to wait for its other end, and a device may have none.
  if (found && !found.isFile()) throw Object.assign(new Error(), { code: NO_FILE });
}

async function using<T>(file: FileHandle, use: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** No array of Node 20 has more than 4 GiB, nor of others more than there is memory. */
function roomFor(length: number): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch {
    throw Object.assign(new Error(), { code: TOO_LARGE });
  }
}

/** Our own codes, beside the system's. */
const NO_FILE = "not a file";
const TOO_LARGE = "too large";
const NO_FOLDERS = "no folders";

/** What the system's error codes mean to someone who only wants their file, and what helps where it isn't the path. */
const reasons: Record<string, readonly [reason: string, fix?: string]> = {
  ENOENT: ["there is no such file or folder"],
  EACCES: ["permission is denied"],
  EPERM: ["the operation is not permitted"],
  NotCapable: ["Deno was not given permission, run with --allow-read and --allow-write"],
  EISDIR: ["it is a folder, a file should be there"],
  ENOTDIR: ["a part of the path is a file, a folder should be there"],
  EEXIST: ["a file of that name is in the way"],
  [NO_FILE]: ["it is a pipe, a socket or a device, a file should be there"],
  [NO_FOLDERS]: ["no folder can be made there", "choose a folder on a disk"],
  [TOO_LARGE]: ["it is larger than one array can be", "split the file, or use a newer Node or Deno"],
  ENOSPC: ["the disk is full", "free some space, or choose a folder on another disk"],
  EDQUOT: ["the disk quota is used up", "free some space, or choose a folder on another disk"],
  EFBIG: ["it would be larger than files may be here", "choose a folder on another disk"],
  EROFS: ["the file system is read-only", "choose a folder on another file system"],
  EIO: ["the disk or its connection is failing", "look at the disk; choose a folder on another one"],
  EMFILE: ["too many files are open", "raise the limit: `ulimit -n 1024`"],
  ENFILE: ["too many files are open on this machine", "close other programs, or raise the limit of the system"],
  ENAMETOOLONG: ["the name is too long"],
  ELOOP: ["its symbolic links go round in a circle"],
};

async function attempt<T>(verb: string, path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof OnestepError) throw error;
    const { code, name, message } = error as NodeJS.ErrnoException;
    const [reason, fix] = reasons[code ?? ""] ?? reasons[name] ?? [message];
    throw failure("E_FILE", `Cannot ${verb} ${path}: ${reason}`, { cause: error, fix });
  }
}
