/**
 * Files of `torch.save`, and pickles with PyTorch's tensors in them, such as EDM's networks: read without running anything.
 * The zip format of PyTorch 1.6 and later, the format before it, and pickles whose storages are files of that format.
 */
import { type ByteSource, bytesOf, damaged } from "./byteSource.ts";
import { keyText, unpickle } from "./pickle.ts";
import { arrays, type StoredDtype } from "./safetensorsHeader.ts";
import { type TorchFile, torchEntries } from "./torchEntries.ts";
import type { TorchStorage } from "./torchStorage.ts";
import { torchWorld } from "./torchWorld.ts";
import { isZip, openZip } from "./zip.ts";

/** The first pickle of the format before zip. */
const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

/** True when the bytes start as a pickle of protocol 2 or later does, or as a zip archive. */
export const mayBeTorch = (bytes: Uint8Array): boolean =>
  isZip(bytes) || (bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5);

/**
 * Opens a file; its numbers stay where they are until they are read.
 * @throws E_DATA for a damaged file, or one that asks for a name that no file of weights needs, E_CHECKPOINT for tensors that
 * contradict their storage
 */
export async function openTorch(source: ByteSource): Promise<TorchFile> {
  const start = await source.read(0, Math.min(4, source.size));
  const root = isZip(start) ? await readZip(source) : await readPickles(source);
  return torchEntries(root, source.name, source.size);
}

async function readZip(source: ByteSource): Promise<unknown> {
  const entries = await openZip(source);
  const pickle = Object.keys(entries).find((name) => /(^|\/)data\.pkl$/.test(name));
  if (pickle === undefined)
    throw damaged(source, `it is a zip archive without "data.pkl", should be a file of torch.save`);
  const folder = pickle.slice(0, -"data.pkl".length);
  const order = entries[`${folder}byteorder`];
  if (order && new TextDecoder().decode(await order.read()).trim() !== "little")
    throw damaged(source, "its numbers are big-endian, should be little-endian");
  const storages = new Map<string, TorchStorage>();
  const storageOf = (key: string, dtype: StoredDtype, elements: number): TorchStorage => {
    const known = storages.get(key);
    if (known) return known;
    const entry = entries[`${folder}data/${key}`];
    const bytes = elements * arrays[dtype].BYTES_PER_ELEMENT;
    if (entry?.size !== bytes)
      throw damaged(source, `storage ${key} has ${entry ? `${entry.size} bytes` : "no entry"}, should have ${bytes}`);
    const storage = { dtype, elements, read: () => entry.read() };
    storages.set(key, storage);
    return storage;
  };
  const nested = (bytes: Uint8Array) => readPickleBytes(bytes, source.name, false);
  const entry = entries[pickle];
  const world = torchWorld(source.name, storageOf, nested);
  return unpickle(await entry.read(), world, source.name, { packed: entry.packed }).value;
}

/** Storages of the format before zip follow the pickles, in an order that the last pickle gives. */
async function readPickles(source: ByteSource): Promise<unknown> {
  const bytes = await source.read(0, source.size);
  return readPickleBytes(bytes, source.name, true);
}

/** @param mayNest whether there may be files in it: those of storages have none in them */
function readPickleBytes(bytes: Uint8Array, from: string, mayNest: boolean): unknown {
  const places = new Map<string, TorchStorage & { bytes?: Uint8Array }>();
  const storageOf = (key: string, dtype: StoredDtype, elements: number): TorchStorage => {
    const known = places.get(key);
    if (known) return known;
    const storage = {
      dtype,
      elements,
      bytes: undefined as Uint8Array | undefined,
      async read(): Promise<Uint8Array> {
        if (!storage.bytes) throw damaged({ name: from }, `storage ${key} is missing`);
        return storage.bytes;
      },
    };
    places.set(key, storage);
    return storage;
  };
  const world = torchWorld(from, storageOf, (inner) => {
    if (!mayNest) throw damaged({ name: from }, "a storage in it has a file in it");
    return readPickleBytes(inner, from, false);
  });
  const first = unpickle(bytes, world, from);
  if (first.value !== MAGIC) return first.value;
  const protocol = unpickle(bytes, world, from, { start: first.end });
  if (protocol.value !== PROTOCOL)
    throw damaged({ name: from }, `it has PyTorch's format ${keyText(protocol.value)}, should be ${PROTOCOL}`);
  const system = unpickle(bytes, world, from, { start: protocol.end });
  if (system.value instanceof Map && system.value.get("little_endian") === false)
    throw damaged({ name: from }, "its numbers are big-endian, should be little-endian");
  const object = unpickle(bytes, world, from, { start: system.end });
  const keys = unpickle(bytes, world, from, { start: object.end });
  if (!Array.isArray(keys.value)) throw damaged({ name: from }, "it does not list its storages");
  let at = keys.end;
  for (const key of keys.value) {
    const name = keyText(key) ?? "";
    const storage = places.get(name);
    if (at + 8 > bytes.length) throw damaged({ name: from }, `storage ${name} is cut short`);
    const elements = Number(new DataView(bytes.buffer, bytes.byteOffset + at, 8).getBigInt64(0, true));
    if (!storage || storage.elements !== elements)
      throw damaged({ name: from }, `storage ${name} has ${elements} numbers, should have ${storage?.elements}`);
    const end = at + 8 + elements * arrays[storage.dtype].BYTES_PER_ELEMENT;
    if (end > bytes.length) throw damaged({ name: from }, `storage ${name} is cut short`);
    storage.bytes = bytes.subarray(at + 8, end);
    at = end;
  }
  const missing = [...places].find(([, { bytes }]) => !bytes);
  if (missing) throw damaged({ name: from }, `storage ${missing[0]} is missing`);
  return object.value;
}

/** Opens a file that is in memory: see `openTorch`. */
export const decodeTorch = (bytes: Uint8Array, name = "PyTorch file"): Promise<TorchFile> =>
  openTorch(bytesOf(bytes, name));
