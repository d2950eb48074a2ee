/** Pickles of plain data: numbers, texts, lists, dicts, and NumPy's arrays, such as CIFAR's batches for Python. Nothing is run. */
import { damaged } from "./byteSource.ts";
import { NumpyArray, numpyNames } from "./numpyPickle.ts";
import { unpickle } from "./pickle.ts";
import type { StoredTensor } from "./safetensorsHeader.ts";

/**
 * The value of a pickle: dicts are `Map`s, tuples and lists arrays, bytes `Uint8Array`s; what an array is `pickledArray` tells.
 * @throws E_DATA for a damaged pickle, something behind it, or a name that plain data have no need of
 */
export function decodePickle(bytes: Uint8Array, from: string): unknown {
  const names = numpyNames((why) => damaged({ name: from }, why));
  const global = (module: string, name: string) => {
    const full = `${module}.${name}`;
    return Object.hasOwn(names, full) ? names[full] : undefined;
  };
  const { value, end } = unpickle(bytes, { global }, from);
  if (end !== bytes.length) throw damaged({ name: from }, `something follows its pickle, which ends at byte ${end}`);
  return value;
}

/** A value of a pickle as an array in row-major order; undefined where the value is no array. */
export async function pickledArray(value: unknown): Promise<StoredTensor | undefined> {
  return value instanceof NumpyArray ? value.tensor?.read() : undefined;
}
