/** Safetensors files of any size: written and read tensor by tensor. */
import type { FileSystem } from "./files.ts";
import type { Room } from "./room.ts";
import { tensorAt } from "./safetensors.ts";
import {
  checkNumbers,
  decodeHeader,
  elementBytes,
  encodeHeader,
  headerLength,
  LENGTH_BYTES,
  type StoredTensor,
  type TensorEntry,
  type TensorPlace,
} from "./safetensorsHeader.ts";

/** A tensor whose numbers are fetched when it is their turn to be written. */
export interface TensorSource extends TensorEntry {
  read(): StoredTensor["data"] | Promise<StoredTensor["data"]>;
}

/**
 * Writes a file with its tensors in this order, one at a time in memory; resolves with its size. Those of larger elements come first,
 * so that all are aligned.
 */
export async function writeSafetensors(
  files: FileSystem,
  path: string,
  sources: readonly TensorSource[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<number> {
  const ordered = [...sources].sort((a, b) => elementBytes(b.dtype) - elementBytes(a.dtype));
  const { head, dataBytes } = encodeHeader(ordered, metadata);
  await files.write(path, contents(head, ordered));
  return head.length + dataBytes;
}

async function* contents(head: Uint8Array, sources: readonly TensorSource[]): AsyncGenerator<Uint8Array> {
  yield head;
  for (const source of sources) {
    const data = await source.read();
    checkNumbers(source, data);
    yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
}

/** A tensor of a file, to be read when it is needed. */
export interface FileTensor extends TensorPlace {
  /** With a room, the tensor lies there: it holds until something else is read into that. */
  read(room?: Room): Promise<StoredTensor>;
}

/** A file whose header has been read and found consistent. Both records have no prototype. */
export interface OpenSafetensors {
  readonly metadata: Record<string, string>;
  readonly tensors: Record<string, FileTensor>;
  /** All bytes before the data. */
  readonly head: Uint8Array;
  readonly bytes: number;
}

/** Reads the header of a file. Throws E_CHECKPOINT for anything but a complete, consistent file, or E_FILE. */
export async function openSafetensors(files: FileSystem, path: string): Promise<OpenSafetensors> {
  const bytes = await files.size(path);
  const first = await files.readRange(path, 0, Math.min(bytes, LENGTH_BYTES));
  const start = LENGTH_BYTES + headerLength(first, bytes, path);
  const head = await files.readRange(path, 0, start);
  const { metadata, places } = decodeHeader(head.subarray(LENGTH_BYTES), bytes - start, path);
  const tensors: Record<string, FileTensor> = Object.create(null);
  for (const place of places) {
    const read = async (room?: Room) => {
      const { begin, end } = place;
      const length = end - begin;
      return tensorAt(await files.readRange(path, start + begin, length, room?.take(length)), place, path);
    };
    tensors[place.name] = { ...place, read };
  }
  return { metadata, tensors, head, bytes };
}

/** All tensors of a file, each in an array of its own, and its metadata. Throws as `openSafetensors` does. */
export async function readSafetensors(files: FileSystem, path: string) {
  const { tensors, metadata } = await openSafetensors(files, path);
  const all: Record<string, StoredTensor> = Object.create(null);
  for (const [name, tensor] of Object.entries(tensors)) all[name] = await tensor.read();
  return { tensors: all, metadata };
}
