import { failure } from "../errors.ts";
import { sizeOf } from "../tensor/shape.ts";
import { arrays, type StoredDtype, type StoredTensor } from "./safetensorsHeader.ts";
import { rowMajor } from "./strided.ts";

/** The numbers that tensors of a PyTorch file look at; several may share them. */
export interface TorchStorage {
  readonly dtype: StoredDtype;
  /** How many numbers it has. */
  readonly elements: number;
  /** Its bytes, little-endian, exactly as many as it has. */
  read(): Promise<Uint8Array>;
}

/** PyTorch's own limit. */
export const MOST_AXES = 64;

/** A tensor of a PyTorch file: a view of a storage. */
export class TorchTensor {
  readonly storage: TorchStorage;
  /** In elements, as are the strides. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  /** Throws E_CHECKPOINT where the view reaches beyond its storage, or is far larger than it. */
  constructor(storage: TorchStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    if (shape.length > MOST_AXES || strides.length > MOST_AXES)
      throw failure(
        "E_CHECKPOINT",
        `Cannot read a tensor of a PyTorch file: it has ${shape.length} axes, should have ${MOST_AXES} at most`,
      );
    const numbers = [offset, ...shape, ...strides];
    // Of what is no number no text is made: lists that hold each other would never come to their end.
    const listed = (values: readonly unknown[]) =>
      `[${values.map((value) => (typeof value === "number" ? value : "?")).join(", ")}]`;
    const refuse = (why: string) =>
      failure("E_CHECKPOINT", `Cannot read a tensor ${listed(shape)} of a PyTorch file: ${why}`);
    if (shape.length !== strides.length || numbers.some((number) => !(Number.isSafeInteger(number) && number >= 0)))
      throw refuse(
        `its offset, shape and strides, ${listed([offset])}, ${listed(shape)} and ${listed(strides)}, should be whole numbers from 0 up`,
      );
    const count = sizeOf(shape);
    const last = count === 0 ? -1 : shape.reduce((at, size, axis) => at + (size - 1) * strides[axis], offset);
    if (last >= storage.elements) throw refuse(`it reaches to number ${last} of ${storage.elements}`);
    if (count > mostNumbers(storage.elements)) throw refuse(`it repeats ${storage.elements} numbers to ${count}`);
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }

  /** Its numbers in row-major order: a copy where the storage has them otherwise. */
  async read(): Promise<StoredTensor> {
    const { storage, shape } = this;
    const { dtype } = storage;
    const data = rowMajor(dtype, typed(dtype, await storage.read()), this);
    if (dtype === "BOOL" && (data as Uint8Array).some((value) => value > 1))
      throw failure("E_CHECKPOINT", "Cannot read a tensor of a PyTorch file: it is bool with a byte above 1");
    return { dtype, shape, data } as StoredTensor;
  }
}

/** An expanded tensor repeats its numbers; no program stores a tensor, or a file of tensors, that repeats them more often. */
const LARGEST_REPEAT = 4096;

/** The most numbers that tensors can have together which look at so many stored ones. */
export const mostNumbers = (stored: number): number => LARGEST_REPEAT * stored + LARGEST_REPEAT;

/** The names of PyTorch's storage classes. */
export const storageTypes: Readonly<Record<string, StoredDtype>> = {
  DoubleStorage: "F64",
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};

/** Bytes as numbers of a type; a copy where they are not aligned. */
function typed(dtype: StoredDtype, bytes: Uint8Array): StoredTensor["data"] {
  const size = arrays[dtype].BYTES_PER_ELEMENT;
  const { buffer, byteOffset, length } = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new arrays[dtype](buffer as ArrayBuffer, byteOffset, length / size);
}
