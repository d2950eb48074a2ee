/**
 * The safetensors container: an 8-byte little-endian header length, a JSON header, then raw little-endian row-major tensors.
 * A file from others is checked whole before any tensor is handed out; every fault is E_CHECKPOINT.
 */
import { failure } from "../errors.ts";
import { bfloat16ToFloat32, float16ToFloat32 } from "./halfFloat.ts";
import { repeatedKey } from "./repeatedKey.ts";

/** The array that holds a dtype. F16 and BF16 are bit patterns (see halfFloat.ts); a BOOL byte is 0 or 1. */
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
  BOOL: Uint8Array;
}

const arrays = {
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

/** What a safetensors file holds. Both records have no prototype, so any name is only data. */
export interface SafetensorsFile {
  readonly tensors: Record<string, StoredTensor>;
  readonly metadata: Record<string, string>;
}

const maxHeaderBytes = 100_000_000; // the limit of the reference reader
const metadataKey = "__metadata__";
/** As a key it would set the prototype of a plain object that a caller copies the tensors into. */
const forbiddenName = "__proto__";

/**
 * Tensors (and string metadata) → the bytes of a safetensors file. Tensors are laid out by falling element size, then by
 * name, and the header is padded with spaces to a multiple of 8 bytes, so every tensor is aligned and equal input gives
 * equal bytes. Throws E_CHECKPOINT when a tensor's data does not fit its shape or dtype.
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, StoredTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries = Object.entries(tensors).sort(
    ([a, { dtype: p }], [b, { dtype: q }]) => elementBytes(q) - elementBytes(p) || (a < b ? -1 : 1),
  );
  const header: [string, unknown][] = Object.keys(metadata).length ? [[metadataKey, metadata]] : [];
  let end = 0;
  for (const [name, tensor] of entries) {
    checkWritable(name, tensor);
    const begin = end;
    end += tensor.data.byteLength;
    const { dtype, shape } = tensor;
    header.push([name, { dtype, shape, data_offsets: [begin, end] }]);
  }
  // fromEntries defines own properties, whatever the name; an object literal would trip over "__proto__".
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const start = 8 + Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(start + end).fill(0x20, 8, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(json, 8);
  let offset = start;
  for (const [, { data }] of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}

function checkWritable(name: string, { dtype, shape, data }: StoredTensor): void {
  const refuse = (why: string) =>
    failure("E_CHECKPOINT", `Cannot write tensor "${name}": ${why}`, {
      fix: "correct the tensor before saving it",
    });
  if (name === metadataKey || name === forbiddenName) throw refuse("the name is reserved, should be another one");
  if (!Object.hasOwn(arrays, dtype)) throw refuse(`dtype is ${dtype}, should be one of ${dtypeList}`);
  if (!(data instanceof arrays[dtype]))
    throw refuse(`data is a ${data?.constructor?.name}, should be a ${arrays[dtype].name} for ${dtype}`);
  const count = shape.every(isSize) ? elementCount(shape) : Number.NaN;
  if (count !== data.length)
    throw refuse(`data has ${data.length} elements, should have ${count} for shape [${shape.join(", ")}]`);
}

/**
 * The bytes of a safetensors file → its tensors and metadata. Tensor data are views of `bytes` where alignment allows,
 * copies elsewhere. `file` names the source in errors. Throws E_CHECKPOINT for anything but a complete, consistent file.
 */
export function decodeSafetensors(bytes: Uint8Array, file = "safetensors file"): SafetensorsFile {
  const { header, start } = readHeader(bytes, file);
  const tensors: Record<string, StoredTensor> = Object.create(null);
  const metadata: Record<string, string> = Object.create(null);
  const ranges: { name: string; begin: number; end: number }[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === metadataKey) {
      Object.assign(metadata, readMetadata(entry, file));
      continue;
    }
    const { dtype, shape, begin, end } = readEntry(name, entry, bytes.length - start, file);
    ranges.push({ name, begin, end });
    tensors[name] = view(bytes, start + begin, end - begin, dtype, shape);
    if (dtype === "BOOL" && (tensors[name].data as Uint8Array).some((value) => value > 1))
      throw unreadable(file, `tensor "${name}" is BOOL with a byte above 1, should hold 0 and 1`);
  }
  checkLayout(ranges, bytes.length - start, file);
  return { tensors, metadata };
}

/** Any floating-point or integer tensor as float32: itself where it is F32, else a widened or rounded copy. */
export function toFloat32(tensor: StoredTensor): Float32Array {
  if (tensor.dtype === "F32") return tensor.data;
  if (tensor.dtype === "F16") return float16ToFloat32(tensor.data);
  if (tensor.dtype === "BF16") return bfloat16ToFloat32(tensor.data);
  if (tensor.dtype === "I64") return Float32Array.from(tensor.data, Number);
  return Float32Array.from(tensor.data);
}

const dtypeList = Object.keys(arrays).join(", ");
const elementBytes = (dtype: StoredDtype) => arrays[dtype]?.BYTES_PER_ELEMENT ?? 0;
const elementCount = (shape: readonly number[]) => shape.reduce((count, size) => count * size, 1);
const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function unreadable(file: string, why: string, cause?: unknown) {
  return failure("E_CHECKPOINT", `Cannot read ${file}: ${why}`, { cause });
}

function readHeader(bytes: Uint8Array, file: string) {
  if (bytes.length < 8) throw unreadable(file, `it has ${bytes.length} bytes, should have at least 8`);
  const stated = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  const room = Math.min(bytes.length - 8, maxHeaderBytes);
  // Compared as BigInt and before anything is allocated: a forged length must cost nothing.
  if (stated > BigInt(room))
    throw unreadable(file, `its header is said to have ${stated} bytes, should have at most ${room}`);
  const start = 8 + Number(stated);
  let json: string;
  let header: unknown;
  try {
    json = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, start));
    header = JSON.parse(json);
  } catch (cause) {
    throw unreadable(file, `its header (${stated} bytes) is not JSON, should be a JSON object`, cause);
  }
  if (!isRecord(header)) throw unreadable(file, "its header is not a JSON object, should be one");
  const twice = repeatedKey(json);
  if (twice !== undefined) throw unreadable(file, `its header holds "${twice}" twice, should hold it once`);
  return { header, start };
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
function checkLayout(ranges: { name: string; begin: number; end: number }[], dataBytes: number, file: string) {
  ranges.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of ranges) {
    if (begin !== covered)
      throw unreadable(file, `tensor "${name}" begins at byte ${begin} of the data, should begin at ${covered}`);
    covered = end;
  }
  if (covered !== dataBytes)
    throw unreadable(file, `it has ${dataBytes} bytes of data, should have ${covered} for its tensors`);
}

function view(bytes: Uint8Array, offset: number, length: number, dtype: StoredDtype, shape: number[]): StoredTensor {
  const size = elementBytes(dtype);
  const at = bytes.byteOffset + offset;
  // Typed arrays need aligned offsets, which files of other writers don't promise. The constructor copies; `slice` of a
  // Node Buffer would not.
  const [buffer, begin] =
    at % size === 0 ? [bytes.buffer, at] : [new Uint8Array(bytes.subarray(offset, offset + length)).buffer, 0];
  return {
    dtype,
    shape,
    data: new arrays[dtype](buffer as ArrayBuffer, begin, length / size),
  } as StoredTensor;
}
