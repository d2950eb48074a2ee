/** NumPy's arrays: `.npy` files, and `.npz` archives of them. NEP 1 of NumPy. */
import { type ByteSource, damaged } from "./byteSource.ts";
import { arrays, type StoredDtype, type StoredTensor } from "./safetensorsHeader.ts";
import { columnMajorStrides, rowMajor } from "./strided.ts";
import { openZip } from "./zip.ts";

/** NumPy's own limit. */
const MOST_AXES = 64;
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** What NumPy calls the types that are read, without the mark of the byte order. */
export const numpyTypes: Readonly<Record<string, StoredDtype>> = {
  f8: "F64",
  f4: "F32",
  f2: "F16",
  i8: "I64",
  i4: "I32",
  i2: "I16",
  i1: "I8",
  u4: "U32",
  u2: "U16",
  u1: "U8",
  b1: "BOOL",
};

/** True when the bytes start as a `.npy` file does. */
export const isNpy = (bytes: Uint8Array): boolean => MAGIC.every((byte, i) => bytes[i] === byte);

/**
 * The array of a `.npy` file, in row-major order, whichever order it is stored in. Big-endian numbers are turned round.
 * @throws E_DATA for a damaged file, one that is cut short or longer than its array, or types without a plain number
 */
export function decodeNpy(bytes: Uint8Array, from = "array of NumPy"): StoredTensor {
  const refuse = (why: string, fix?: string) => damaged({ name: from }, why, fix);
  if (!isNpy(bytes) || bytes.length < 10) throw refuse("it does not begin as a .npy file does");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLong = bytes[6] >= 2;
  const start = isLong ? 12 : 10;
  if (bytes[6] < 1 || bytes[6] > 3 || bytes.length < start)
    throw refuse(`it has version ${bytes[6]}, should be 1 to 3`);
  const end = start + (isLong ? view.getUint32(8, true) : view.getUint16(8, true));
  if (end > bytes.length) throw refuse("its header is cut short");
  const header = new TextDecoder().decode(bytes.subarray(start, end));
  const [, descr] = header.match(/'descr':\s*'([^']*)'/) ?? [];
  const [, order] = header.match(/'fortran_order':\s*(True|False)/) ?? [];
  const [, sizes] = header.match(/'shape':\s*\(([\d,\s]*)\)/) ?? [];
  if (descr === undefined || order === undefined || sizes === undefined)
    throw refuse("its header names no plain type, order and shape");
  const kind = descr.replace(/^[<>|=]/, "");
  if (!Object.hasOwn(numpyTypes, kind))
    throw refuse(
      `its numbers have type ${JSON.stringify(descr)}, which is not read`,
      `store it as one of ${Object.keys(numpyTypes).join(", ")}`,
    );
  const dtype = numpyTypes[kind];
  const shape = sizes.split(",").flatMap((size) => (size.trim() === "" ? [] : [Number(size)]));
  const count = shape.reduce((product, size) => product * size, 1);
  const size = arrays[dtype].BYTES_PER_ELEMENT;
  if (shape.length > MOST_AXES) throw refuse(`it has ${shape.length} axes, should have ${MOST_AXES} at most`);
  if (![...shape, count].every(Number.isSafeInteger) || count * size !== bytes.length - end)
    throw refuse(
      `it has ${bytes.length - end} bytes of numbers, should have ${count * size} for shape [${shape.join(", ")}]`,
    );
  // A copy: typed arrays need aligned offsets, and callers may write.
  const raw = bytes.slice(end);
  if (descr.startsWith(">")) for (let at = 0; at < raw.length; at += size) raw.subarray(at, at + size).reverse();
  const data = new arrays[dtype](raw.buffer) as StoredTensor["data"];
  if (dtype === "BOOL" && raw.some((value) => value > 1)) throw refuse("a truth value is neither 0 nor 1");
  return {
    dtype,
    shape,
    data: order === "True" ? rowMajor(dtype, data, { shape, strides: columnMajorStrides(shape), offset: 0 }) : data,
  } as StoredTensor;
}

/** An array of an archive, to be read when it is needed. */
export interface NpzEntry {
  read(): Promise<StoredTensor>;
}

/** The arrays of a `.npz` archive by name, without `.npy`. The record has no prototype. Throws E_DATA. */
export async function openNpz(source: ByteSource): Promise<Record<string, NpzEntry>> {
  const found: Record<string, NpzEntry> = Object.create(null);
  for (const entry of Object.values(await openZip(source))) {
    if (!entry.name.endsWith(".npy")) continue;
    const name = entry.name.slice(0, -".npy".length);
    if (name === "__proto__") throw damaged(source, 'it has an array "__proto__"');
    found[name] = { read: async () => decodeNpy(await entry.read(), `${name} in ${source.name}`) };
  }
  return found;
}
