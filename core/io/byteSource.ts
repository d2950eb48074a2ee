import { failure } from "../errors.ts";
import type { FileSystem } from "./files.ts";

/** Bytes that are read in pieces: those of a file, of an array, of a part of either. */
export interface ByteSource {
  /** What messages call it. */
  readonly name: string;
  readonly size: number;
  /** Exactly `length` bytes from `offset`; the caller has checked that they are there. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** The bytes of an array. */
export const bytesOf = (bytes: Uint8Array, name: string): ByteSource => ({
  name,
  size: bytes.length,
  read: async (offset, length) => bytes.subarray(offset, offset + length),
});

/** The bytes of a file, read when they are asked for. */
export const fileBytes = async (files: FileSystem, path: string): Promise<ByteSource> => ({
  name: path,
  size: await files.size(path),
  read: (offset, length) => files.readRange(path, offset, length),
});

/** Bytes that `inWindows` asks for at once. */
const WINDOW = 64 * 2 ** 10;

/**
 * The same bytes for a reader that goes from front to back: it asks the source for at least `window` bytes at once and keeps the
 * last that it got, so that thousands of small entries do not cost a call of the system each.
 */
export function inWindows(source: ByteSource, window = WINDOW): ByteSource {
  let begin = 0;
  let held: Uint8Array = new Uint8Array(0);
  return {
    name: source.name,
    size: source.size,
    async read(offset, length) {
      if (offset < begin || offset + length > begin + held.length) {
        const bytes = await source.read(offset, Math.max(length, Math.min(window, source.size - offset)));
        [begin, held] = [offset, bytes];
      }
      // Copied: who keeps a small part does not keep the window.
      return held.slice(offset - begin, offset - begin + length);
    },
  };
}

/** A file in an archive, or beside others in a folder: read by its place whenever it is needed. */
export interface StoredFile {
  readonly name: string;
  /** Bytes of its content, where that is known. */
  readonly size?: number;
  /** Where it begins in its archive: files that are read in this order are read from front to back. */
  readonly at?: number;
  /** Its content; through another source of the same bytes where one is given. Throws E_DATA where it is damaged or cut short. */
  read(through?: ByteSource): Promise<Uint8Array>;
}

/** Bytes of a source that a file of others claims to have. Throws E_DATA where they end before. */
export async function claimedBytes(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  if (!(Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0))
    throw damaged(source, `a length or place in it is no whole number`);
  if (offset + length > source.size)
    throw damaged(
      source,
      `it has ${source.size} bytes, something in it claims to lie at ${offset} to ${offset + length}`,
    );
  return source.read(offset, length);
}

/** The error of a file that contradicts itself. */
export const damaged = ({ name }: Pick<ByteSource, "name">, why: string, fix = "download or write the file again") =>
  failure("E_DATA", `Cannot read ${name}: ${why}`, { fix });
