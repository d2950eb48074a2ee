/**
 * The safetensors container: an 8-byte little-endian header length, a JSON header, then raw little-endian row-major tensors.
 * A file from others is checked whole before any tensor is handed out; every fault is E_CHECKPOINT. Files that don't fit into
 * one array are read and written by `safetensorsFile.ts`.
 */
import { float8E4m3ToFloat32, float8E5m2ToFloat32 } from "./float8.ts";
import { bfloat16ToFloat32, float16ToFloat32 } from "./halfFloat.ts";
import {
  arrays,
  checkNumbers,
  decodeHeader,
  elementBytes,
  encodeHeader,
  headerLength,
  LENGTH_BYTES,
  type StoredDtype,
  type StoredTensor,
  type TensorEntry,
  unreadable,
} from "./safetensorsHeader.ts";

export type { StoredDtype, StoredTensor } from "./safetensorsHeader.ts";

/** What a safetensors file holds. Both records have no prototype, so any name is only data. */
export interface SafetensorsFile {
  readonly tensors: Record<string, StoredTensor>;
  readonly metadata: Record<string, string>;
}

/**
 * Tensors (and string metadata) → the bytes of a safetensors file. Tensors are laid out by falling element size, then by
 * name, and the header is padded with spaces to a multiple of 8 bytes, so every tensor is aligned and equal input gives
 * equal bytes. Throws E_CHECKPOINT when a tensor's data does not fit its shape or dtype.
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, StoredTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries = Object.entries(tensors)
    .map(([name, tensor]) => ({ name, ...tensor }))
    .sort((a, b) => elementBytes(b.dtype) - elementBytes(a.dtype) || (a.name < b.name ? -1 : 1));
  for (const entry of entries) checkNumbers(entry, entry.data);
  const { head, dataBytes } = encodeHeader(entries, metadata);
  const bytes = new Uint8Array(head.length + dataBytes);
  bytes.set(head);
  let offset = head.length;
  for (const { data } of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}

/**
 * The bytes of a safetensors file → its tensors and metadata. Tensor data are views of `bytes` where alignment allows,
 * copies elsewhere. `file` names the source in errors. Throws E_CHECKPOINT for anything but a complete, consistent file.
 */
export function decodeSafetensors(bytes: Uint8Array, file = "safetensors file"): SafetensorsFile {
  const start = LENGTH_BYTES + headerLength(bytes, bytes.length, file);
  const { metadata, places } = decodeHeader(bytes.subarray(LENGTH_BYTES, start), bytes.length - start, file);
  const tensors: Record<string, StoredTensor> = Object.create(null);
  for (const { name, dtype, shape, begin, end } of places)
    tensors[name] = tensorAt(bytes.subarray(start + begin, start + end), { name, dtype, shape }, file);
  return { tensors, metadata };
}

/** The tensor that bytes of a file are. Throws E_CHECKPOINT for a BOOL that is neither 0 nor 1. */
export function tensorAt(bytes: Uint8Array, { name, dtype, shape }: TensorEntry, file: string): StoredTensor {
  const tensor = view(bytes, dtype, shape);
  if (dtype === "BOOL" && (tensor.data as Uint8Array).some((value) => value > 1))
    throw unreadable(file, `tensor "${name}" is BOOL with a byte above 1, should hold 0 and 1`);
  return tensor;
}

/** Any floating-point or integer tensor as float32: itself where it is F32, else a widened or rounded copy. */
export function toFloat32(tensor: StoredTensor): Float32Array {
  if (tensor.dtype === "F32") return tensor.data;
  if (tensor.dtype === "F16") return float16ToFloat32(tensor.data);
  if (tensor.dtype === "BF16") return bfloat16ToFloat32(tensor.data);
  if (tensor.dtype === "F8_E4M3") return float8E4m3ToFloat32(tensor.data);
  if (tensor.dtype === "F8_E5M2") return float8E5m2ToFloat32(tensor.data);
  if (tensor.dtype === "I64") return Float32Array.from(tensor.data, Number);
  return Float32Array.from(tensor.data);
}

function view(bytes: Uint8Array, dtype: StoredDtype, shape: readonly number[]): StoredTensor {
  const size = elementBytes(dtype);
  // Typed arrays need aligned offsets, which files of other writers don't promise. The constructor copies; `slice` of a
  // Node Buffer would not.
  const { buffer, byteOffset, length } = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return { dtype, shape, data: new arrays[dtype](buffer as ArrayBuffer, byteOffset, length / size) } as StoredTensor;
}
