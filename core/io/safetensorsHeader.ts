/** The header of a safetensors file: an 8-byte little-endian length, then JSON that says where each tensor lies. */
import { failure } from "../errors.ts";
import { parseJson, repeatedKey } from "../json/mod.ts";

/** The array that holds a dtype. F16, BF16, F8_E4M3 and F8_E5M2 are bit patterns (halfFloat.ts, float8.ts); a BOOL byte is 0 or 1. */
interface Arrays {
  F64: Float64Array;
  I64: BigInt64Array;
  F32: Float32Array;
  I32: Int32Array;
  F16: Uint16Array;
  BF16: Uint16Array;
  I16: Int16Array;
  U16: Uint16Array;
  U32: Uint32Array;
  I8: Int8Array;
  U8: Uint8Array;
  F8_E4M3: Uint8Array;
  F8_E5M2: Uint8Array;
  BOOL: Uint8Array;
}

/** By dtype. */
export const arrays = {
  F64: Float64Array,
  I64: BigInt64Array,
  F32: Float32Array,
  I32: Int32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I16: Int16Array,
  U16: Uint16Array,
  U32: Uint32Array,
  I8: Int8Array,
  U8: Uint8Array,
  F8_E4M3: Uint8Array,
  F8_E5M2: Uint8Array,
  BOOL: Uint8Array,
} as const;

/** The dtypes read and written. */
export type StoredDtype = keyof Arrays;

/** A tensor at rest: `data` is row-major and holds the product of `shape` elements. */
export type StoredTensor = {
  [D in StoredDtype]: {
    readonly dtype: D;
    readonly shape: readonly number[];
    readonly data: Arrays[D];
  };
}[StoredDtype];

const maxHeaderBytes = 100_000_000; // the limit of the reference reader
const metadataKey = "__metadata__";
/** As a key it would set the prototype of a plain object that a caller copies the tensors into. */
const forbiddenName = "__proto__";

/** A tensor's place in the data of a file. */
export interface TensorPlace {
  readonly name: string;
  readonly dtype: StoredDtype;
  readonly shape: readonly number[];
  /** Bytes from the start of the data. */
  readonly begin: number;
  readonly end: number;
}

/** A tensor that is to be written. */
export type TensorEntry = Pick<TensorPlace, "name" | "dtype" | "shape">;

/**
 * The first bytes of a file whose tensors follow in this order, and the bytes that those take. Padded with spaces to a multiple
 * of 8 bytes. Throws E_CHECKPOINT for a name, dtype or shape that can't be stored.
 */
export function encodeHeader(
  entries: readonly TensorEntry[],
  metadata: Readonly<Record<string, string>>,
): { head: Uint8Array; dataBytes: number } {
  const header: [string, unknown][] = Object.keys(metadata).length ? [[metadataKey, metadata]] : [];
  let end = 0;
  for (const entry of entries) {
    checkEntry(entry);
    const { name, dtype, shape } = entry;
    const begin = end;
    end += elementCount(shape) * elementBytes(dtype);
    header.push([name, { dtype, shape, data_offsets: [begin, end] }]);
  }
  // fromEntries defines own properties, whatever the name; an object literal would trip over "__proto__".
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const start = 8 + Math.ceil(json.length / 8) * 8;
  const head = new Uint8Array(start).fill(0x20, 8);
  new DataView(head.buffer).setBigUint64(0, BigInt(start - 8), true);
  head.set(json, 8);
  return { head, dataBytes: end };
}

function checkEntry({ name, dtype }: TensorEntry): void {
  if (name === metadataKey || name === forbiddenName)
    throw unwritable(name, "the name is reserved, should be another one");
  if (!Object.hasOwn(arrays, dtype)) throw unwritable(name, `dtype is ${dtype}, should be one of ${dtypeList}`);
}

/** Holds the numbers of a tensor to its entry. Throws E_CHECKPOINT. */
export function checkNumbers(entry: TensorEntry, data: StoredTensor["data"]): void {
  checkEntry(entry);
  const { name, dtype, shape } = entry;
  if (!(data instanceof arrays[dtype])) {
    const given = (data as object)?.constructor?.name;
    throw unwritable(name, `data is a ${given}, should be a ${arrays[dtype].name} for ${dtype}`);
  }
  const count = elementCount(shape);
  if (count !== data.length)
    throw unwritable(name, `data has ${data.length} elements, should have ${count} for shape [${shape.join(", ")}]`);
}

const unwritable = (name: string, why: string) =>
  failure("E_CHECKPOINT", `Cannot write tensor "${name}": ${why}`, { fix: "correct the tensor before saving it" });

/** Bytes before the JSON. */
export const LENGTH_BYTES = 8;

/**
 * Bytes of the JSON, from the first eight bytes of a file of `fileBytes`. Compared as BigInt and before anything is allocated:
 * a forged length must cost nothing.
 */
export function headerLength(bytes: Uint8Array, fileBytes: number, file: string): number {
  if (fileBytes < LENGTH_BYTES) throw unreadable(file, `it has ${fileBytes} bytes, should have at least 8`);
  const stated = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  const room = Math.min(fileBytes - LENGTH_BYTES, maxHeaderBytes);
  if (stated > BigInt(room))
    throw unreadable(file, `its header is said to have ${stated} bytes, should have at most ${room}`);
  return Number(stated);
}

/** The JSON of a header in front of `dataBytes` of data → metadata and places. Throws E_CHECKPOINT unless all is consistent. */
export function decodeHeader(
  json: Uint8Array,
  dataBytes: number,
  file: string,
): { metadata: Record<string, string>; places: readonly TensorPlace[] } {
  const metadata: Record<string, string> = Object.create(null);
  const places: TensorPlace[] = [];
  for (const [name, entry] of Object.entries(parsedHeader(json, file))) {
    if (name === metadataKey) Object.assign(metadata, readMetadata(entry, file));
    else places.push({ name, ...readEntry(name, entry, dataBytes, file) });
  }
  checkLayout(places, dataBytes, file);
  return { metadata, places };
}

const dtypeList = Object.keys(arrays).join(", ");
/** Bytes of an element; 0 for what is no dtype. */
export const elementBytes = (dtype: StoredDtype) => arrays[dtype]?.BYTES_PER_ELEMENT ?? 0;
/** NaN where a size is none. */
const elementCount = (shape: readonly number[]) =>
  shape.reduce((count, size) => count * (isSize(size) ? size : Number.NaN), 1);
const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A file that is not what it should be. */
export function unreadable(file: string, why: string, cause?: unknown) {
  return failure("E_CHECKPOINT", `Cannot read ${file}: ${why}`, { cause });
}

function parsedHeader(bytes: Uint8Array, file: string): Record<string, unknown> {
  let json: string;
  let header: unknown;
  try {
    json = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    header = parseJson(json);
  } catch (cause) {
    throw unreadable(file, `its header (${bytes.length} bytes) is not JSON, should be a JSON object`, cause);
  }
  if (!isRecord(header)) throw unreadable(file, "its header is not a JSON object, should be one");
  const twice = repeatedKey(json);
  if (twice !== undefined) throw unreadable(file, `its header holds "${twice}" twice, should hold it once`);
  return header;
}

function readMetadata(entry: unknown, file: string): Record<string, string> {
  if (!isRecord(entry) || !Object.values(entry).every((value) => typeof value === "string"))
    throw unreadable(file, `"${metadataKey}" is not an object of strings, should be one`);
  if (Object.hasOwn(entry, forbiddenName))
    throw unreadable(file, `"${metadataKey}" has a key "${forbiddenName}", should have another name`);
  return entry as Record<string, string>;
}

function readEntry(name: string, entry: unknown, dataBytes: number, file: string) {
  const refuse = (why: string) => unreadable(file, `tensor "${name}" ${why}`);
  if (name === forbiddenName) throw refuse("has a reserved name, should have another");
  if (!isRecord(entry)) throw refuse("is not described by an object, should be");
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string" || !Object.hasOwn(arrays, dtype))
    throw refuse(`has dtype ${JSON.stringify(dtype)}, should be one of ${dtypeList}`);
  if (!Array.isArray(shape) || !shape.every(isSize))
    throw refuse(`has shape ${JSON.stringify(shape)}, should be a list of sizes`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize))
    throw refuse(`has data_offsets ${JSON.stringify(offsets)}, should be [begin, end]`);
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataBytes)
    throw refuse(`lies at bytes ${begin} to ${end}, should lie within the ${dataBytes} bytes of data`);
  const bytes = elementCount(shape) * elementBytes(dtype as StoredDtype);
  // A product beyond the safe integers is inexact but huge, so it can't equal a range inside the file.
  if (bytes !== end - begin)
    throw refuse(`has ${end - begin} bytes, should have ${bytes} for ${dtype} [${shape.join(", ")}]`);
  return { dtype: dtype as StoredDtype, shape: shape as number[], begin, end };
}

/** As the reference reader does: ranges neither overlap nor leave holes, so no byte of the file is hidden. */
function checkLayout(places: readonly TensorPlace[], dataBytes: number, file: string) {
  const inOrder = [...places].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of inOrder) {
    if (begin !== covered)
      throw unreadable(file, `tensor "${name}" begins at byte ${begin} of the data, should begin at ${covered}`);
    covered = end;
  }
  if (covered !== dataBytes)
    throw unreadable(file, `it has ${dataBytes} bytes of data, should have ${covered} for its tensors`);
}
