/** Arrays and numbers of NumPy in pickles, as training states and data sets have them. */
import { sizeOf, stridesOf } from "../tensor/shape.ts";
import { float16ToFloat32 } from "./halfFloat.ts";
import { numpyTypes } from "./npy.ts";
import { keyText, latin1Bytes, type PickleGlobal } from "./pickle.ts";
import { arrays, type StoredDtype } from "./safetensorsHeader.ts";
import { columnMajorStrides } from "./strided.ts";
import { MOST_AXES, TorchTensor } from "./torchStorage.ts";

type Refuse = (why: string) => Error;

/** The array behind a name of NumPy; its numbers come with its state. */
export class NumpyArray {
  tensor: TorchTensor | undefined;
  readonly #refuse: Refuse;
  constructor(refuse: Refuse) {
    this.#refuse = refuse;
  }
  /** (version, shape, dtype, is Fortran order, bytes) */
  setState(state: unknown): void {
    const [, shape, dtype, isFortran, bytes] = Array.isArray(state) ? state : [];
    const kind = dtype instanceof NumpyType ? dtype.dtype : undefined;
    const raw = bytes instanceof Uint8Array ? bytes : latin1Bytes(bytes);
    if (!kind || !Array.isArray(shape) || !raw)
      throw this.#refuse("an array of NumPy has no shape, numbers or type that is known");
    const elements = raw.length / arrays[kind].BYTES_PER_ELEMENT;
    if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0) || shape.length > MOST_AXES)
      throw this.#refuse("an array of NumPy has a shape that is none");
    const count = sizeOf(shape);
    if (!Number.isInteger(elements) || count !== elements)
      throw this.#refuse(`an array of NumPy has ${raw.length} bytes, should have ${count} numbers`);
    const storage = { dtype: kind, elements, read: async () => raw };
    this.tensor = new TorchTensor(storage, 0, shape, isFortran ? columnMajorStrides(shape) : stridesOf(shape));
  }
}

/** A type of numbers, little-endian. */
class NumpyType {
  readonly dtype: StoredDtype;
  readonly #refuse: Refuse;
  constructor(dtype: StoredDtype, refuse: Refuse) {
    this.dtype = dtype;
    this.#refuse = refuse;
  }
  /** (version, byte order, …) */
  setState(state: unknown): void {
    if (Array.isArray(state) && state[1] === ">")
      throw this.#refuse("numbers of NumPy are big-endian, which is not read");
  }
}

/** What NumPy's names stand for, before and after its version 2. */
export function numpyNames(refuse: Refuse): Record<string, PickleGlobal> {
  const dtype = {
    call(name: unknown) {
      const known = keyText(name)?.replace(/^[<|=]/, "") ?? "";
      if (!Object.hasOwn(numpyTypes, known))
        throw refuse(`numbers of NumPy have type ${JSON.stringify(known)}, which is not read`);
      return new NumpyType(numpyTypes[known], refuse);
    },
  };
  const scalar = {
    call(type: unknown, bytes: unknown) {
      const kind = type instanceof NumpyType ? type.dtype : undefined;
      const raw = bytes instanceof Uint8Array ? bytes : latin1Bytes(bytes);
      if (!kind || raw?.length !== arrays[kind].BYTES_PER_ELEMENT)
        throw refuse("a number of NumPy has no type that is known");
      const stored = new arrays[kind](raw.slice().buffer);
      if (kind === "BOOL") return stored[0] !== 0;
      return kind === "F16" ? float16ToFloat32(stored as Uint16Array)[0] : stored[0];
    },
  };
  const array = { call: () => new NumpyArray(refuse) };
  /** Bytes, as protocols before 3 have them. */
  const encode = {
    call(text: unknown, encoding: unknown) {
      const bytes = encoding === "latin1" ? latin1Bytes(text) : undefined;
      if (!bytes) throw refuse("bytes are no text of latin1");
      return bytes;
    },
  };
  const names: Record<string, PickleGlobal> = {
    "numpy.dtype": dtype,
    "numpy.ndarray": { call: () => null },
    "_codecs.encode": encode,
  };
  for (const core of ["core", "_core"]) {
    names[`numpy.${core}.multiarray.scalar`] = scalar;
    names[`numpy.${core}.multiarray._reconstruct`] = array;
  }
  return names;
}
