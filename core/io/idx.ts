/**
 * The IDX format of MNIST: a big-endian magic number (0, 0, element type, number of dimensions), one 32-bit size for each
 * dimension, then the elements, the last dimension fastest. Only unsigned bytes are read, the type of the MNIST files.
 */
import { failure } from "../errors.ts";
import { gunzip, isGzip } from "./gunzip.ts";

/** An array of bytes: `data` is row-major and holds the product of `shape` elements. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const unsignedByte = 0x08;
/** 1 GiB of elements is 22 times MNIST; a header that claims more is taken for damage. */
const maxElements = 2 ** 30;

const unreadable = (file: string, why: string) =>
  failure("E_DATA", `Cannot read ${file}: ${why}`, {
    fix: "check that it is the file its name says, and download it again",
  });

/**
 * The bytes of an IDX file, plain or gzip (told apart by content, not by name), with `rank` dimensions → its array.
 * `file` names the source in errors. Throws E_DATA for a wrong magic number, a size out of range, missing or surplus bytes.
 */
export async function readIdx(bytes: Uint8Array, rank: number, file: string): Promise<IdxArray> {
  // Unpacking stops one byte after what the header promises; a header that is refused promises nothing.
  const promised = (head: Uint8Array) =>
    head.length < headerBytes(rank) ? headerBytes(rank) : fileBytes(parseHeader(head, rank, file));
  const plain = isGzip(bytes) ? await gunzip(bytes, file, promised) : bytes;
  const shape = parseHeader(plain, rank, file);
  const expected = fileBytes(shape);
  if (plain.length !== expected) {
    const found = plain.length > expected ? `more than ${expected}` : `${plain.length}`;
    throw unreadable(file, `it has ${found} bytes, should have ${expected} for [${shape.join(", ")}]`);
  }
  return { shape, data: plain.subarray(headerBytes(rank)) };
}

const headerBytes = (rank: number) => 4 + 4 * rank;
const elementCount = (shape: readonly number[]) => shape.reduce((count, size) => count * size, 1);
const fileBytes = (shape: readonly number[]) => headerBytes(shape.length) + elementCount(shape);
const hex = (word: number) => `0x${word.toString(16).padStart(8, "0")}`;

function parseHeader(bytes: Uint8Array, rank: number, file: string): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < headerBytes(rank))
    throw unreadable(file, `it has ${bytes.length} bytes, should have at least ${headerBytes(rank)} for the header`);
  const magic = (unsignedByte << 8) | rank;
  if (view.getUint32(0) !== magic)
    throw unreadable(
      file,
      `its magic number is ${hex(view.getUint32(0))}, should be ${hex(magic)} (unsigned bytes, ${rank} dimensions)`,
    );
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  if (shape.includes(0) || elementCount(shape) > maxElements)
    throw unreadable(
      file,
      `its dimensions are [${shape.join(", ")}], should be positive with at most ${maxElements} elements in all`,
    );
  return shape;
}
